// The server's half of a WebSocket (RFC 6455) for the mock daemon: text and binary out, text in. No extensions, no
// fragments; enough for one page on this machine.
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function header(opcode, length) {
  if (length < 126) return Buffer.from([0x80 | opcode, length]);
  if (length < 65536) {
    const bytes = Buffer.from([0x80 | opcode, 126, 0, 0]);
    bytes.writeUInt16BE(length, 2);
    return bytes;
  }
  const bytes = Buffer.alloc(10);
  bytes[0] = 0x80 | opcode;
  bytes[1] = 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

export function accept(request, socket, protocol) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${key}`];
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let buffer = Buffer.alloc(0);
  const client = {
    onText: () => {},
    onClose: () => {},
    open: true,
    send(object) {
      const payload = Buffer.from(JSON.stringify(object));
      if (client.open) socket.write(Buffer.concat([header(1, payload.length), payload]));
    },
    sendBinary(bytes) {
      if (client.open) socket.write(Buffer.concat([header(2, bytes.length), bytes]));
    },
    drop() {
      socket.destroy();
    },
  };
  const end = () => {
    if (!client.open) return;
    client.open = false;
    client.onClose();
  };
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      if (buffer.length < 2) return;
      const opcode = buffer[0] & 15;
      let length = buffer[1] & 127;
      let at = 2;
      if (length === 126) {
        if (buffer.length < 4) return;
        length = buffer.readUInt16BE(2);
        at = 4;
      } else if (length === 127) return socket.destroy();
      if (buffer.length < at + 4 + length) return;
      const mask = buffer.subarray(at, at + 4);
      const payload = Buffer.from(buffer.subarray(at + 4, at + 4 + length));
      for (let index = 0; index < length; index++) payload[index] ^= mask[index & 3];
      buffer = buffer.subarray(at + 4 + length);
      if (opcode === 8) return socket.end();
      if (opcode === 1) client.onText(payload.toString('utf8'));
    }
  });
  socket.on('close', end);
  socket.on('error', end);
  return client;
}
