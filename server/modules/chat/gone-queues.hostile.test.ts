import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pending } from '../../../protocol/chat.ts';
import { publishList, requestLink } from '../../../protocol/devices.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, type TestDevice } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { changeStatus } from '../accounts/index.ts';
import { ChatStore } from './store.ts';
import { emptyGoneQueues } from './gone-queues.ts';
import { Ledger, SENT } from './ledger.ts';

/* Somebody lets much wait for a device of their own and takes it off the list: nobody waits until all of it is deleted. */

/** Some ten steps of deleting. */
const MESSAGES = 5000;
const [PAYLOAD, KEY] = [Buffer.alloc(29), Buffer.of(1)];
const COPY_BYTES = PAYLOAD.length + KEY.length;
const PATIENT = { timeout: 20_000, interval: 50 };

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let environment: Record<string, string>;
  let mallory: Member;
  let second: TestDevice;
  beforeEach(async () => {
    environment = await newDatabase();
    server = await startTestServer({}, environment);
    mallory = await server.join();
    second = newDevice();
    await link(second, 2);
    await fill([second.public.deviceId]);
  });
  afterEach(() => server.dispose());

  async function link(device: TestDevice, version: number): Promise<void> {
    const { person } = mallory;
    const visitor = await server.connect(await person.signIn(await server.connect(), null));
    await visitor.request(requestLink, { device: device.public, idempotencyId: newId() });
    await publish(device, version);
  }

  async function publish(device: TestDevice, version: number): Promise<void> {
    const { person, client } = mallory;
    const list = person.list(version, [person.device.public, device.public]);
    await client.request(publishList, { list, idempotencyId: newId() });
  }

  const unlink = (version: number) =>
    mallory.client.request(publishList, { list: mallory.person.list(version), idempotencyId: newId() });

  /** Messages of mallory's for these devices of theirs. */
  async function fill(deviceIds: readonly number[], count = MESSAGES): Promise<void> {
    const chatStore = new ChatStore(server.store.kind);
    const { userId, device } = mallory.person;
    await server.store.transaction(async (trx) => {
      const first = await chatStore.reservePositions(trx, count, Date.now());
      const ledger = new Ledger();
      const [messages, queue]: [unknown[], unknown[]] = [[], []];
      for (let position = first; position < first + count; position++) {
        messages.push(position, randomUUID(), userId, device.public.deviceId, PAYLOAD);
        for (const deviceId of deviceIds) {
          queue.push(userId, deviceId, position, 'message', KEY, COPY_BYTES);
          ledger.add(userId, deviceId, COPY_BYTES, 1);
        }
        const bytes = PAYLOAD.length + KEY.length * deviceIds.length;
        ledger.add(userId, SENT, bytes, 1);
        ledger.total += bytes;
      }
      await chatStore.insertMessages(trx, messages, queue);
      await chatStore.record(trx, ledger);
    });
  }

  async function copiesFor(userId: UserId): Promise<number> {
    const rows = await server.store.db.selectFrom('queue').select('position').where('userId', '=', userId).execute();
    return rows.length;
  }

  async function expectNothingLeft(): Promise<void> {
    const { db } = server.store;
    const { userId } = mallory.person;
    const rows = () => db.selectFrom('queueUse').select(['deviceId', 'bytes', 'messages']).where('userId', '=', userId);
    await vi.waitFor(
      async () => expect(await rows().execute()).toEqual([{ deviceId: SENT, bytes: 0, messages: 0 }]),
      PATIENT,
    );
    expect(await copiesFor(userId)).toBe(0);
    expect(await db.selectFrom('messages').select('position').execute()).toEqual([]);
    const total = await db.selectFrom('counters').select('value').where('name', '=', 'queued_bytes').execute();
    expect(total).toEqual([{ value: 0 }]);
  }

  it('a device leaves its list before its queue is empty, and everybody is answered in between', async () => {
    const ada = await server.join();
    await unlink(3);
    expect(await copiesFor(mallory.person.userId)).toBeGreaterThan(0);
    await ada.client.request(pending, { after: 0, limit: 1 });
    expect(await copiesFor(mallory.person.userId)).toBeGreaterThan(0);
    await expectNothingLeft();
  });

  it('an account is removed before its queues are empty', async () => {
    await changeStatus({ store: server.store }, mallory.person.userId, 'removed', null);
    expect(await copiesFor(mallory.person.userId)).toBe(MESSAGES);
    await emptyGoneQueues(server.store, new AbortController().signal);
    await expectNothingLeft();
  });

  it('each step is short', async () => {
    const { userId } = mallory.person;
    const { deviceId } = second.public;
    await server.store.db.deleteFrom('devices').where('userId', '=', userId).where('deviceId', '=', deviceId).execute();
    const chatStore = new ChatStore(server.store.kind);
    const before = await copiesFor(userId);
    expect(await server.store.transaction((trx) => chatStore.emptySome(trx, { userId, deviceId }))).toBe(false);
    expect(before - (await copiesFor(userId))).toBeLessThanOrEqual(500);
  });

  it('what a crash has left is deleted after the next start', async () => {
    await unlink(3);
    const { dataDir } = server;
    await server.close();
    server = await startTestServer({}, { ...environment, TEAHOUSE_DATA: dataDir });
    expect(await copiesFor(mallory.person.userId)).toBeGreaterThan(0);
    await expectNothingLeft();
  });

  it('what waits for the other devices of the account stays', async () => {
    const { userId, device } = mallory.person;
    await fill([device.public.deviceId, second.public.deviceId], 700);
    await unlink(3);
    await vi.waitFor(async () => expect(await copiesFor(userId)).toBe(700), PATIENT);
    const { envelopes } = await mallory.client.request(pending, { after: 0, limit: 100 });
    expect(envelopes).toHaveLength(100);
  });

  it('no device is linked under the number of one whose queue is not empty', async () => {
    await unlink(3);
    const { deviceId } = second.public;
    const again = newDevice();
    const reused = { ...again, public: { ...again.public, deviceId } };
    await refusal('device_list_invalid', link(reused, 4));
    await expectNothingLeft();
    // They still ask.
    await publish(reused, 4);
  });

  it('a device on a list keeps all', async () => {
    await emptyGoneQueues(server.store, new AbortController().signal);
    expect(await copiesFor(mallory.person.userId)).toBe(MESSAGES);
  });
});
