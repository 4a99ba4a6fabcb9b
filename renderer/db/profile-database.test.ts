import { Dexie } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, it } from 'vitest';
import { ProfileDatabase } from './profile-database.ts';

/** The tables as version 1 made them. */
const VERSION_1 = {
  secrets: 'name',
  prekeys: 'keyId',
  signedPrekeys: 'keyId',
  sessions: 'address',
  identities: 'address',
  peers: 'userId',
  people: 'userId',
  conversations: 'userId',
  messages: 'messageId, [conversation+order]',
  unread: 'messageId, conversation',
  receipts: 'messageId, conversation',
  outbox: '++seq, &messageId, [waiting+conversation]',
  calls: 'call, ongoing',
  seen: 'envelope, at',
};

it('what version 1 stored is still there, and its prekeys have an age', async () => {
  const options = { indexedDB: new IDBFactory(), IDBKeyRange };
  const sealed = new Uint8Array([1, 2, 3]);
  const old = new Dexie('teahouse-one', options);
  old.version(1).stores(VERSION_1);
  await old.open();
  await old.table('prekeys').bulkPut([1, 2].map((keyId) => ({ keyId, sealed })));
  await old.table('secrets').put({ name: 'device', sealed });
  await old.table('people').put({ userId: 'ben', sealed });
  old.close();

  const before = Date.now();
  const db = new ProfileDatabase('one', options);
  await db.open();
  const prekeys = await db.prekeys.orderBy('madeAt').toArray();
  expect(prekeys.map(({ keyId }) => keyId)).toEqual([1, 2]);
  for (const prekey of prekeys) {
    expect([...prekey.sealed]).toEqual([1, 2, 3]);
    expect(prekey.madeAt).toBeGreaterThanOrEqual(before);
  }
  expect(await db.secrets.get('device')).toBeDefined();
  expect(await db.people.count()).toBe(1);
  expect(await db.pins.count()).toBe(0);
  db.close();
});

it('calls of an earlier version are kept with their age, but for those that name nothing of theirs', async () => {
  const options = { indexedDB: new IDBFactory(), IDBKeyRange };
  const old = new Dexie('teahouse-two', options);
  old.version(1).stores(VERSION_1);
  await old.open();
  const sealed = new Uint8Array([1, 2, 3]);
  const message = (messageId: string, conversation: string, order: number) => ({
    messageId,
    conversation,
    order,
    sealed,
  });
  await old
    .table('messages')
    .bulkPut([
      message('first', 'ada', 1_700_000_000_000_000),
      message('queued', 'ada', 8_000_000_000_000_000),
      message('of-ben', 'ben', 1_700_000_000_000_000),
    ]);
  const call = (callId: string, conversation: string, messageId: string, ongoing: 0 | 1) => ({
    call: `${conversation}:${callId}`,
    callId,
    messageId,
    ongoing,
  });
  await old
    .table('calls')
    .bulkPut([
      call('one', 'ada', 'first', 0),
      call('two', 'ada', 'queued', 1),
      call('three', 'eve', 'of-ben', 1),
      call('four', 'ada', 'gone', 1),
    ]);
  old.close();

  const before = Date.now();
  const db = new ProfileDatabase('two', options);
  await db.open();
  const calls = await db.calls.orderBy('at').toArray();
  expect(calls.map(({ callId, ongoing }) => [callId, ongoing])).toEqual([
    ['one', 0],
    ['two', 1],
  ]);
  expect(calls[0]!.at).toBe(1_700_000_000_000);
  expect(calls[1]!.at).toBeGreaterThanOrEqual(before);
  expect(calls[1]!.at).toBeLessThanOrEqual(Date.now());
  expect(await db.calls.where('[ongoing+call]').between([1, ''], [1, '\uffff']).count()).toBe(1);
  expect(await db.calls.orderBy('unannounced').count()).toBe(0);
  expect(await db.messages.count()).toBe(3);
  db.close();
});
