import { randomBytes, randomInt } from 'node:crypto';
import { Kysely, CamelCasePlugin, sql } from 'kysely';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import {
  acknowledge,
  delivered,
  dismissExpired,
  expired,
  expiredChanged,
  pending,
  send,
} from '../../../protocol/chat.ts';
import { publishList, takeBundles } from '../../../protocol/devices.ts';
import type { DeviceId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, sendTo, type TestDevice } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { LIMITS as STORE_LIMITS } from '../../store/limits.ts';
import { pruneAnswers, REPLAY_MS } from '../../store/once.ts';
import { foundation } from '../../store/migrations/0001-foundation.ts';
import { quotas as quotasMigration } from '../../store/migrations/0005-quotas.ts';
import { NodeSqliteDialect } from '../../store/sqlite.ts';
import type { Schema } from '../../store/schema.ts';
import { emptyGoneQueues, expireMessages, type Quotas } from './index.ts';

/* A colleague with a valid session fills the disk, somebody's queue, or the organisation's store. */

const NEVER = new AbortController().signal;

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ahead = 0;
  const start = async (quotas: Partial<Quotas>) => {
    ahead = 0;
    server = await startTestServer({ quotas, now: () => Date.now() + ahead }, await newDatabase());
  };
  afterEach(() => server.dispose());

  const payload = (bytes: number) => randomBytes(bytes).toString('base64');
  const queueOf = async ({ client }: Member) => (await client.request(pending, { after: 0, limit: 100 })).envelopes;
  const acknowledgeAll = async (member: Member) => {
    const queueIds = (await queueOf(member)).map(({ queueId }) => queueId);
    if (queueIds.length > 0) await member.client.request(acknowledge, { queueIds });
  };

  /** A device on a member's list that is never online. */
  async function absentDevice({ person }: Member): Promise<TestDevice> {
    const device = newDevice();
    const { deviceId, registrationId, identityKey, authenticationKey } = device.public;
    await server.store.transaction(async (trx) => {
      const row = { userId: person.userId, deviceId, registrationId, identityKey, authenticationKey };
      const signed = { signedPrekeyId: 1, signedPrekey: '', signedPrekeySignature: '', signedPrekeyAt: 1, addedAt: 1 };
      await trx
        .insertInto('devices')
        .values({ ...row, ...signed })
        .execute();
      await trx.updateTable('deviceLists').set({ version: 2 }).where('userId', '=', person.userId).execute();
    });
    return device;
  }

  it('takes no more from one account in an hour than it may send, and says when it goes on', async () => {
    await start({ senderBurstBytes: 11_400, senderBytesPerHour: 100_000 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    for (let i = 0; i < 3; i++) await sendTo(mallory.client, bob.person, newId(), payload(3000));
    const { details } = await refusal('quota_sender', sendTo(mallory.client, bob.person, newId(), payload(3000)));
    expect(details.retryAfterMs).toBeGreaterThan(1000);
    await sendTo(eve.client, bob.person, newId(), payload(3000));
    ahead = details.retryAfterMs + 1000;
    await sendTo(mallory.client, bob.person, newId(), payload(3000));
    expect(await queueOf(bob)).toHaveLength(5);
  });

  it.each([{ queueMessages: 3 }, { queueBytes: 1000 }])(
    'refuses what does not fit into a queue (%o)',
    async (quotas) => {
      await start(quotas);
      const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
      const first = newId();
      const { position } = await sendTo(mallory.client, bob.person, first);
      for (let i = 0; i < 2; i++) await sendTo(mallory.client, bob.person);
      // All at once too: they share a transaction.
      const burst = await Promise.allSettled(Array.from({ length: 5 }, () => sendTo(mallory.client, bob.person)));
      expect(burst.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
      const { details } = await refusal('queue_full', sendTo(mallory.client, bob.person));
      expect(details).toEqual({ users: [bob.person.userId] });
      expect(await sendTo(mallory.client, bob.person, first), 'a repeat is answered as before').toEqual({ position });
      await sendTo(mallory.client, eve.person);
      const [oldest] = await queueOf(bob);
      await bob.client.request(acknowledge, { queueIds: [oldest?.queueId ?? 0] });
      await sendTo(mallory.client, bob.person);
      expect(await queueOf(bob)).toHaveLength(3);
    },
  );

  it('keeps nobody from the devices that have room, and tells the owner what another one missed', async () => {
    await start({ queueMessages: 3 });
    const [ada, bob] = [await server.join(), await server.join()];
    const phone = await absentDevice(bob);
    const recipients = () => [bob.person.recipient([bob.person.device.public, phone.public])];
    for (let i = 0; i < 7; i++) {
      await ada.client.request(send, { idempotencyId: newId(), payload: payload(100), recipients: recipients() });
      await bob.client.next(delivered);
      await acknowledgeAll(bob);
    }
    const { deviceId } = phone.public;
    const missed = await bob.client.request(expired, {});
    expect(missed).toEqual({ devices: [{ deviceId, count: 4 }] });
    await bob.client.next(expiredChanged);
    expect(bob.client.events, 'once for all of them').toEqual([]);
    await ada.client.request(dismissExpired, { deviceId });
    expect(await bob.client.request(expired, {}), 'only the owner dismisses it').toEqual(missed);
    await bob.client.request(dismissExpired, { deviceId });
    expect(await bob.client.request(expired, {})).toEqual({ devices: [] });
  });

  it('is not kept from sending by a full queue of the sender’s own device', async () => {
    await start({ queueMessages: 1 });
    const [ada, bob] = [await server.join(), await server.join()];
    const phone = await absentDevice(ada);
    for (let i = 0; i < 3; i++) {
      const recipients = [bob.person.recipient(), ada.person.recipient([phone.public])];
      await ada.client.request(send, { idempotencyId: newId(), payload: payload(100), recipients });
      await acknowledgeAll(bob);
    }
    expect(await ada.client.request(expired, {})).toEqual({ devices: [{ deviceId: phone.public.deviceId, count: 2 }] });
  });

  it('counts nothing for what it refuses, so that a passing trouble does not use up the hour', async () => {
    await start({ senderBurstBytes: 11_400, senderBytesPerHour: 100_000 });
    const [ada, bob] = [await server.join(), await server.join()];
    const stale = { ...bob.person.recipient(), keys: [] };
    for (let i = 0; i < 12; i++) {
      const request = { idempotencyId: newId(), payload: payload(3000), recipients: [stale] };
      await refusal('devices_stale', ada.client.request(send, request));
    }
    for (let i = 0; i < 3; i++) await sendTo(ada.client, bob.person, newId(), payload(3000));
    await refusal('quota_sender', sendTo(ada.client, bob.person, newId(), payload(3000)));
  });

  it('lets one account leave only so much with people who are away, so that it fills no queue alone', async () => {
    await start({ senderWaitingMessages: 3, queueMessages: 10 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    for (let i = 0; i < 3; i++) await sendTo(mallory.client, bob.person);
    await refusal('quota_sender', sendTo(mallory.client, bob.person));
    await refusal('quota_sender', sendTo(mallory.client, eve.person));
    await sendTo(eve.client, bob.person);
    await acknowledgeAll(bob);
    await sendTo(mallory.client, bob.person);
  });

  it('counts the keys to who sent them, which are many times the message where it is for many devices', async () => {
    await start({ senderWaitingBytes: 2300 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    const phones = [await absentDevice(bob), await absentDevice(bob)];
    const recipient = bob.person.recipient([bob.person.device.public, ...phones.map((phone) => phone.public)]);
    const keys = recipient.keys.map((key) => ({ ...key, body: payload(400) }));
    const crowd = () =>
      mallory.client.request(send, {
        idempotencyId: newId(),
        payload: payload(100),
        recipients: [{ ...recipient, keys }],
      });
    await crowd();
    await refusal('quota_sender', crowd());
    await sendTo(eve.client, mallory.person);
    await acknowledgeAll(bob);
    await crowd();
  });

  it('lets one account hold a share of what the organisation lets wait, so that it stops nobody else', async () => {
    await start({ totalBytes: 10_000, senderShare: 0.2 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    await sendTo(mallory.client, bob.person, newId(), payload(1300));
    await refusal('quota_sender', sendTo(mallory.client, bob.person, newId(), payload(1300)));
    await sendTo(eve.client, bob.person, newId(), payload(1300));
    await acknowledgeAll(bob);
    // More than the share in one message: where nothing else of the sender waits it would never go otherwise.
    await sendTo(mallory.client, bob.person, newId(), payload(3000));
    await refusal('quota_sender', sendTo(mallory.client, bob.person, newId(), payload(100)));
  });

  it('keeps only so many answers of one account, though everything is fetched, and forgets none for new ones', async () => {
    await start({ keptAnswers: 3 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    const first = newId();
    const { position } = await sendTo(mallory.client, bob.person, first);
    for (let i = 0; i < 2; i++) await sendTo(mallory.client, bob.person);
    await acknowledgeAll(bob);
    await refusal('quota_sender', sendTo(mallory.client, bob.person));
    expect(await sendTo(mallory.client, bob.person, first), 'a repeat is answered as before').toEqual({ position });
    expect(await queueOf(bob)).toEqual([]);
    await sendTo(eve.client, bob.person);
    ahead = REPLAY_MS + 60_000;
    await pruneAnswers(server.store.db, Date.now() + ahead);
    await sendTo(mallory.client, bob.person);
  });

  it('refuses any keyed request of an account that has used its answers up, but not to take a lost device off', async () => {
    await start({});
    const { client, person } = await server.join();
    await sendTo(client, (await server.join()).person);
    await server.store.db
      .updateTable('queueUse')
      .set({ answers: STORE_LIMITS.keptAnswers.value })
      .where('userId', '=', person.userId)
      .execute();
    const devices = [{ userId: person.userId, deviceId: person.device.public.deviceId }];
    const { details } = await refusal('rate_limited', client.request(takeBundles, { devices, idempotencyId: newId() }));
    expect(details.retryAfterMs).toBeGreaterThan(60_000);
    await client.request(publishList, { list: person.list(2), idempotencyId: newId() });
  });

  it('keeps no more for all than the organisation lets wait, and goes on when something is fetched', async () => {
    await start({ totalBytes: 3000, senderShare: 1 });
    const [mallory, bob, eve] = [await server.join(), await server.join(), await server.join()];
    for (let i = 0; i < 2; i++) await sendTo(mallory.client, bob.person, newId(), payload(1300));
    await refusal('storage_full', sendTo(eve.client, mallory.person, newId(), payload(1300)));
    await acknowledgeAll(bob);
    await sendTo(eve.client, mallory.person, newId(), payload(1300));
  });

  it('counts exactly, over sends, repeats, acknowledgements and a removed device', async () => {
    await start({});
    const people = await Promise.all([1, 2, 3].map(() => server.join()));
    const any = () => people[randomInt(people.length)] as Member;
    for (let round = 0; round < 12; round++) {
      const [from, to] = [any(), any()];
      if (from === to) {
        const queueIds = (await queueOf(to)).slice(0, randomInt(1, 4)).map(({ queueId }) => queueId);
        if (queueIds.length > 0) await to.client.request(acknowledge, { queueIds });
        continue;
      }
      const id = newId();
      await Promise.all(Array.from({ length: 5 }, () => sendTo(from.client, to.person)));
      await Promise.all([1, 2].map(() => sendTo(from.client, to.person, id)));
    }
    const { store } = server;
    const [leaving] = people;
    if (!leaving) throw new Error('nobody');
    const { userId, device } = leaving.person;
    const { deviceId } = device.public;
    await store.db.deleteFrom('devices').where('userId', '=', userId).where('deviceId', '=', deviceId).execute();
    await emptyGoneQueues(store, NEVER);

    const queues = await sql<
      Record<string, unknown>
    >`select user_id, device_id, sum(bytes) as bytes, count(*) as messages
      from queue group by user_id, device_id order by user_id`.execute(store.db);
    const used = await sql<Record<string, unknown>>`select user_id, device_id, bytes, messages from queue_use
      where device_id <> 0 and messages > 0 order by user_id`.execute(store.db);
    expect(used.rows).toEqual(queues.rows.map((row) => ({ ...row, bytes: Number(row.bytes) })));
    const sums = await sql<{ kept: number; counted: number; sent: number }>`select
      (select coalesce(sum(length(payload)), 0) from messages) +
        (select coalesce(sum(length(key_body)), 0) from queue) as kept,
      (select value from counters where name = 'queued_bytes') as counted,
      (select sum(bytes) from queue_use where device_id = 0) as sent`.execute(store.db);
    const { kept, counted, sent } = sums.rows[0] ?? { kept: 0, counted: -1, sent: -1 };
    expect(Number(counted)).toBe(Number(kept));
    expect(Number(sent)).toBe(Number(kept));
  });

  it('deletes what has waited too long, in batches, and tells the owner how much', async () => {
    await start({});
    const [ada, bob] = [await server.join(), await server.join()];
    await Promise.all(Array.from({ length: 620 }, () => sendTo(ada.client, bob.person)));
    ahead = 10 * 24 * 3_600_000;
    const recent = await sendTo(ada.client, bob.person);
    // As two processes on PostgreSQL may leave it: a message that is in no queue.
    const orphan = { position: 5, messageId: 'x', senderUserId: ada.person.userId, senderDeviceId: 1 as DeviceId };
    await server.store.db
      .insertInto('messages')
      .values({ ...orphan, payload: Buffer.alloc(0) })
      .execute();
    await server.store.db
      .updateTable('queueUse')
      .set(({ eb }) => ({ messages: eb('messages', '+', 1) }))
      .where('deviceId', '=', 0)
      .execute();
    const told = new Set<string>();
    const expiry = { store: server.store, keepMs: 9 * 24 * 3_600_000, now: Date.now() + ahead, signal: NEVER };
    await expireMessages({ ...expiry, onExpired: (users) => users.forEach((userId) => told.add(userId)) });
    expect([...told]).toEqual([bob.person.userId]);
    expect((await queueOf(bob)).map(({ position }) => position)).toEqual([recent.position]);
    const { deviceId } = bob.person.device.public;
    expect(await bob.client.request(expired, {})).toEqual({ devices: [{ deviceId, count: 620 }] });
    const left = await server.store.db.selectFrom('messages').select('position').execute();
    expect(left).toHaveLength(1);
    const use = await server.store.db.selectFrom('queueUse').selectAll().where('deviceId', '=', 0).execute();
    expect(use.map(({ messages }) => messages)).toEqual([1]);
  });
});

it('counts what earlier versions have left waiting', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'teahouse-quotas-'));
  const dialect = new NodeSqliteDialect(join(folder, 'teahouse.db'));
  const db = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  await foundation('sqlite').up(db);
  const row = (position: number, device: number) =>
    sql`insert into queue (user_id, device_id, position, key_type, key_body)
      values ('bob', ${device}, ${position}, 'message', ${Buffer.alloc(10)})`.execute(db);
  for (const position of [1, 2]) {
    await sql`insert into messages (position, message_id, sender_user_id, sender_device_id, payload)
      values (${position}, 'm', 'ada', 7, ${Buffer.alloc(100)})`.execute(db);
    await row(position, 1);
  }
  await row(2, 2);
  await quotasMigration('sqlite').up(db);
  const rows = await db.selectFrom('queueUse').selectAll().orderBy('userId').orderBy('deviceId').execute();
  expect(rows).toEqual([
    { userId: 'ada', deviceId: 0, bytes: 200, messages: 2, expired: 0 },
    { userId: 'bob', deviceId: 1, bytes: 220, messages: 2, expired: 0 },
    { userId: 'bob', deviceId: 2, bytes: 110, messages: 1, expired: 0 },
  ]);
  expect(await db.selectFrom('counters').selectAll().execute()).toEqual([{ name: 'queued_bytes', value: 230 }]);
  await db.destroy();
  await rm(folder, { recursive: true });
});
