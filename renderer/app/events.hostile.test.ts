import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EVENTS } from '../../protocol/contract.ts';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import { extremesFor, fieldsOf, rightFor, valueAt, withValue } from '../../server/testing/schema-values.ts';
import { UnknownSender } from '../modules/chat/inbox.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { MeddlingServer } from '../testing/meddling-server.ts';
import { ServerProcess } from '../testing/server-process.ts';

/*
 * What a hostile server may tell a real client: every event of the contract, with every extreme value in every field.
 * Where the schema takes it, the line is kept; where it does not, the client comes back by itself. Either way it can be
 * used afterwards, what a colleague writes arrives, and no handler has thrown. An event that is added is attacked by being
 * in the contract.
 */

let server: ServerProcess;
let meddler: MeddlingServer;
let ada: HeadlessClient;
let ben: HeadlessClient;
let count = 0;

beforeAll(async () => {
  server = await ServerProcess.start();
  ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
  meddler = await MeddlingServer.start(server.origin);
  const [link] = await ben.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ada = await HeadlessClient.join(meddler.origin, link!.split('/').at(-1)!, 'ada');
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
});
afterAll(async () => {
  ada?.close();
  ben?.close();
  await meddler?.close();
  await server?.dispose();
});

/** What has thrown. That nobody is known who sent an envelope is told, and no fault. */
const faults = () => ada.faults.filter((fault) => !(fault instanceof UnknownSender));

/** A message each way, over whatever the client made of the events. */
async function worksOn(): Promise<void> {
  await ada.online();
  const text = `message ${++count}`;
  await ben.chat.send(text);
  await until(() => ada.texts().includes(text), `${text} arrives`);
  await ada.chat.send(`answer ${count}`);
  await until(() => ben.texts().includes(`answer ${count}`), `answer ${count} arrives`);
}

it.each(EVENTS.map((event) => [event.name, event] as const))('%s', { timeout: 120_000 }, async (name, event) => {
  const others = { userId: ben.userId, deviceId: 1 };
  const [right] = fc.sample(rightFor(event.params), 1);
  const told = fieldsOf(event.params).flatMap(({ path, schema }) => {
    const there =
      valueAt(right, path) ?? fc.sample(rightFor(schema), 20).find((value) => value !== null && value !== undefined);
    return extremesFor(schema, there, others).map((extreme) => withValue(right, path, extreme));
  });
  const sendable = told.filter((params) => Buffer.byteLength(JSON.stringify(params)) < MAX_FRAME_BYTES - 200);
  const [taken, refused] = [true, false].map((isRight) =>
    sendable.filter((params) => event.params.safeParse(params).success === isRight),
  );
  await ada.online();
  const lines = meddler.connections;
  for (const params of [right, ...(taken ?? [])]) meddler.tell(name, params);
  await worksOn();
  expect(meddler.connections, 'the line is kept').toBe(lines);
  expect(faults(), 'no handler throws').toEqual([]);
  for (const params of (refused ?? []).slice(0, 1)) {
    meddler.tell(name, params);
    // One to which nobody listens would be passed over, and with it all of the above.
    await until(() => ada.connection.state.kind !== 'online', 'the line ends');
    // Without the pauses between attempts, which grow from event to event here; flood.hostile waits for them.
    ada.network = false;
    ada.network = true;
    await ada.online();
  }
  await worksOn();
  expect(faults(), 'no handler throws').toEqual([]);
});

it('starts again after all of that', async () => {
  ada = await ada.reopen(meddler.origin);
  await ada.chat.open(ben.userId);
  await worksOn();
});
