// Drives a running scripted agent with the JavaScript SDK's own clients: @a2a-js/sdk 1.3 (versions 1.0 and 0.3, both
// bindings) and, installed under the name "old", @a2a-js/sdk 0.3.14.
//
//   npm i @a2a-js/sdk@1.3.0 old@npm:@a2a-js/sdk@0.3.14   (in the folder this file is copied to)
//   node javascript_client.mjs http://127.0.0.1:PORT [JWK]     (JWK: the file that `--sign` wrote)
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { importJWK } from 'jose';
import { verifyAgentCardSignature } from '@a2a-js/sdk';
import * as now from '@a2a-js/sdk/client';
import * as old from 'old/client';

const base = process.argv[2];
let failures = 0;
function check(name, passed, detail) {
  console.log(passed ? 'ok  ' : 'FAIL', name, passed ? '' : JSON.stringify(detail ?? null)?.slice(0, 700));
  if (!passed) failures += 1;
}
async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}
async function fails(name, promise, pattern) {
  try {
    const got = await promise;
    check(name, false, got);
  } catch (error) {
    check(name, pattern.test(`${error.name} ${error.constructor.name} ${error.message} ${error.code ?? ''}`), String(error));
  }
}

// States and roles are numbers in this client, as in the protobuf.
const COMPLETED = 3, CANCELED = 5, INPUT_REQUIRED = 6, ROLE_USER = 1;
function text(value, fields = {}) {
  return {
    tenant: '', metadata: undefined, configuration: undefined, ...fields.request,
    message: {
      messageId: randomUUID(), contextId: '', taskId: '', role: ROLE_USER, metadata: undefined, extensions: [], referenceTaskIds: [],
      parts: [{ content: { $case: 'text', value }, metadata: undefined, filename: '', mediaType: '' }], ...fields.message,
    },
  };
}

async function driveNew(label, client, isNew) {
  const sent = await client.sendMessage(text('echo hello'));
  check(`${label} send`, sent.status?.state === COMPLETED && sent.artifacts[0].parts[0].content.value === 'echo hello', sent);
  const got = await client.getTask({ tenant: '', id: sent.id, historyLength: undefined });
  check(`${label} get`, got.id === sent.id, got);
  await fails(`${label} get unknown`, client.getTask({ tenant: '', id: 'nope' }), /not ?found|32001/i);
  const direct = await client.sendMessage(text('tck-message-response'));
  check(`${label} direct message`, direct.messageId !== undefined && direct.parts.length === 1, direct);
  const items = await collect(client.sendMessageStream(text('tck-stream-chunked')));
  const kinds = items.map((item) => item.payload?.$case);
  check(`${label} stream`, kinds.join() === 'task,statusUpdate,artifactUpdate,artifactUpdate,statusUpdate', kinds);
  const turn = await client.sendMessage(text('tck-multi-turn'));
  check(`${label} input required`, turn.status.state === INPUT_REQUIRED, turn);
  const second = await client.sendMessage(text('done', { message: { taskId: turn.id } }));
  check(`${label} second turn`, second.status.state === COMPLETED && second.id === turn.id, second);
  const long = await client.sendMessage(text('tck-cancel', { request: { configuration: { acceptedOutputModes: [], returnImmediately: true } } }));
  const following = collect(client.resubscribeTask({ tenant: '', id: long.id }));
  const config = await client.createTaskPushNotificationConfig({
    tenant: '', id: '', taskId: long.id, url: `${base.replace('http', 'http')}/.well-known/agent.json`, token: 't', authentication: undefined,
  });
  check(`${label} push create`, config.taskId === long.id && config.id !== '', config);
  const cancelled = await client.cancelTask({ tenant: '', id: long.id, metadata: undefined });
  check(`${label} cancel`, cancelled.status.state === CANCELED, cancelled);
  const followed = await following;
  check(`${label} subscribe`, followed[0].payload.$case === 'task' && followed.at(-1).payload.value.status.state === CANCELED, followed);
  await fails(`${label} cancel twice`, client.cancelTask({ tenant: '', id: long.id }), /cancel|32002/i);
  if (isNew) {
    const page = await client.listTasks({ tenant: '', contextId: '', status: 0, pageSize: 2, pageToken: '', includeArtifacts: false });
    check(`${label} list`, page.tasks.length === 2 && page.nextPageToken !== '', page);
  }
  const card = await client.getAgentCard();
  check(`${label} extended card`, card.name.includes('scripted'), card);
}

async function driveOld(label, client) {
  const message = (value, fields = {}) => ({
    message: { kind: 'message', messageId: randomUUID(), role: 'user', parts: [{ kind: 'text', text: value }], ...fields },
  });
  const sent = await client.sendMessage(message('echo hello'));
  check(`${label} send`, sent.kind === 'task' && sent.status.state === 'completed' && sent.artifacts[0].parts[0].text === 'echo hello', sent);
  const got = await client.getTask({ id: sent.id });
  check(`${label} get`, got.id === sent.id, got);
  await fails(`${label} get unknown`, client.getTask({ id: 'nope' }), /not ?found|32001|no task/i);
  const direct = await client.sendMessage(message('tck-message-response'));
  check(`${label} direct message`, direct.kind === 'message', direct);
  const items = await collect(client.sendMessageStream(message('tck-stream-chunked')));
  check(`${label} stream`, items.map((item) => item.kind).join() === 'task,status-update,artifact-update,artifact-update,status-update' && items.at(-1).final, items);
  const turn = await client.sendMessage(message('tck-multi-turn'));
  check(`${label} input required`, turn.status.state === 'input-required', turn);
  const second = await client.sendMessage(message('done', { taskId: turn.id }));
  check(`${label} second turn`, second.status.state === 'completed', second);
  const long = await client.sendMessage({ ...message('tck-cancel'), configuration: { blocking: false } });
  check(`${label} not blocking`, ['submitted', 'working'].includes(long.status.state), long);
  const following = collect(client.resubscribeTask({ id: long.id }));
  const config = await client.setTaskPushNotificationConfig({ taskId: long.id, pushNotificationConfig: { url: `${base}/.well-known/agent.json`, token: 't' } });
  check(`${label} push set`, config.taskId === long.id && config.pushNotificationConfig.url !== '', config);
  const known = await client.getTaskPushNotificationConfig({ id: long.id, pushNotificationConfigId: config.pushNotificationConfig.id });
  check(`${label} push get`, known.pushNotificationConfig.token === 't', known);
  const listed = await client.listTaskPushNotificationConfig({ id: long.id });
  check(`${label} push list`, listed.length === 1, listed);
  await client.deleteTaskPushNotificationConfig({ id: long.id, pushNotificationConfigId: config.pushNotificationConfig.id });
  const cancelled = await client.cancelTask({ id: long.id });
  check(`${label} cancel`, cancelled.status.state === 'canceled', cancelled);
  const followed = await following;
  check(`${label} resubscribe`, followed[0].kind === 'task' && followed.at(-1).status.state === 'canceled' && followed.at(-1).final, followed);
  const card = await client.getAgentCard();
  check(`${label} card`, card.url !== undefined, card);
}

async function attempt(label, run) {
  try {
    await run();
  } catch (error) {
    check(`${label} to the end`, false, `${error.stack}`);
  }
}

if (process.argv[3]) {
  await attempt('card signature', async () => {
    const key = await importJWK(JSON.parse(readFileSync(process.argv[3], 'utf8')), 'ES256');
    await verifyAgentCardSignature(async () => key)(await new now.DefaultAgentCardResolver().resolve(base));
    check('card signature', true);
  });
}
const legacyCompat = { enabled: true };
for (const version of ['1.0', '0.3']) {
  for (const [binding, transport] of [['JSONRPC', now.JsonRpcTransportFactory], ['HTTP+JSON', now.RestTransportFactory]]) {
    const label = `js 1.3 ${binding} ${version}`;
    await attempt(label, async () => {
      const resolver = new now.DefaultAgentCardResolver(version === '0.3' ? { legacyCompat } : {});
      const card = await resolver.resolve(base);
      card.supportedInterfaces = card.supportedInterfaces.filter((one) => one.protocolBinding === binding && one.protocolVersion === version);
      const factory = new now.ClientFactory({ transports: [new transport(version === '0.3' ? { legacyCompat } : {})] });
      await driveNew(label, await factory.createFromAgentCard(card), version === '1.0');
    });
  }
}
for (const [binding, transport] of [['JSONRPC', old.JsonRpcTransportFactory], ['HTTP+JSON', old.RestTransportFactory]]) {
  const label = `js 0.3 ${binding}`;
  await attempt(label, async () => {
    const factory = new old.ClientFactory({ transports: [new transport()], preferredTransports: [binding] });
    const client = await factory.createFromUrl(base);
    await driveOld(label, client);
  });
}
console.log(`${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
