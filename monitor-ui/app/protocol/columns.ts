// The lineage snapshot as the daemon sends it: a header of 16 bytes and columns of numbers, little endian, each padded to
// four bytes. Read without a copy where the platform's byte order allows.

export interface LineageColumns {
  epoch: number;
  seq: number;
  count: number;
  objectives: number;
  parent: Uint32Array;
  parent2: Uint32Array;
  scores: Float32Array[];
  time: Float32Array;
  spent: Float32Array;
  verdictSeq: Uint32Array;
  fate: Uint8Array;
  arm: Uint8Array;
  gate: Uint8Array;
  marks: Uint8Array;
}

export const HEADER_BYTES = 16;
export const LINEAGE_KIND = 1;
export const LINEAGE_VERSION = 1;
export const NO_PARENT = 0xffffffff;

const padded = (bytes: number): number => (bytes + 3) & ~3;

/** Bytes of a frame with so many rows and objectives. */
export function frameBytes(count: number, objectives: number): number {
  return HEADER_BYTES + count * 4 * (5 + objectives) + padded(count) * 4;
}

/** Reads a frame; null when it is of another kind or version, or too short for what its header says. */
export function decodeLineage(buffer: ArrayBuffer): LineageColumns | null {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== LINEAGE_KIND || view.getUint8(1) !== LINEAGE_VERSION) return null;
  const objectives = view.getUint16(2, true);
  const count = view.getUint32(12, true);
  if (buffer.byteLength < frameBytes(count, objectives)) return null;
  let at = HEADER_BYTES;
  const words = (): Uint32Array => {
    const column = new Uint32Array(buffer, at, count);
    at += count * 4;
    return column;
  };
  const floats = (): Float32Array => {
    const column = new Float32Array(buffer, at, count);
    at += count * 4;
    return column;
  };
  const bytes = (): Uint8Array => {
    const column = new Uint8Array(buffer, at, count);
    at += padded(count);
    return column;
  };
  return {
    epoch: view.getUint32(4, true),
    seq: view.getUint32(8, true),
    count,
    objectives,
    parent: words(),
    parent2: words(),
    scores: Array.from({ length: objectives }, floats),
    time: floats(),
    spent: floats(),
    verdictSeq: words(),
    fate: bytes(),
    arm: bytes(),
    gate: bytes(),
    marks: bytes(),
  };
}

/** Writes a frame: the mock daemon and the tests use it, and it pins the layout down beside the reader. */
export function encodeLineage(columns: LineageColumns): ArrayBuffer {
  const { count, objectives } = columns;
  const buffer = new ArrayBuffer(frameBytes(count, objectives));
  const view = new DataView(buffer);
  view.setUint8(0, LINEAGE_KIND);
  view.setUint8(1, LINEAGE_VERSION);
  view.setUint16(2, objectives, true);
  view.setUint32(4, columns.epoch, true);
  view.setUint32(8, columns.seq, true);
  view.setUint32(12, count, true);
  let at = HEADER_BYTES;
  const { parent, parent2, scores, time, spent, verdictSeq } = columns;
  for (const column of [parent, parent2, ...scores, time, spent, verdictSeq]) {
    new Uint8Array(buffer, at, count * 4).set(new Uint8Array(column.buffer, column.byteOffset, count * 4));
    at += count * 4;
  }
  for (const column of [columns.fate, columns.arm, columns.gate, columns.marks]) {
    new Uint8Array(buffer, at, count).set(column.subarray(0, count));
    at += padded(count);
  }
  return buffer;
}
