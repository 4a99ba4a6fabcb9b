import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acknowledge, delivered, MAX_PAYLOAD_BYTES, pending, send, type Envelope } from '../../../protocol/chat.ts';
import { publishPrekeys, takeBundles } from '../../../protocol/devices.ts';
import { MAX_FRAME_BYTES } from '../../../protocol/frames.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newId, sendTo } from '../../testing/person.ts';
import type { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

onEachDatabase((newDatabase) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
  });
  afterAll(() => server.dispose());

  const queueOf = async (client: SocketClient): Promise<Envelope[]> =>
    (await client.request(pending, { after: 0, limit: 100 })).envelopes;
  const messageCount = async () => (await server.store.db.selectFrom('messages').select('position').execute()).length;

  it('delivers an envelope as it was sent, and keeps it until it is acknowledged', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const recipients = [bob.person.recipient()];
    const idempotencyId = newId();
    const payload = randomBytes(300).toString('base64');
    const { position } = await ada.client.request(send, { idempotencyId, payload, recipients });
    const { envelope } = await bob.client.next(delivered);
    const { type, body } = recipients[0]?.keys[0] ?? {};
    expect(envelope).toEqual({
      queueId: position,
      messageId: idempotencyId,
      sender: { userId: ada.person.userId, deviceId: ada.person.device.public.deviceId },
      position,
      payload,
      key: { type, body },
    });
    expect(await queueOf(bob.client)).toEqual([envelope]);
    expect(await queueOf(ada.client)).toEqual([]);

    const before = await messageCount();
    await bob.client.request(acknowledge, { queueIds: [envelope.queueId] });
    await bob.client.request(acknowledge, { queueIds: [envelope.queueId, 7] });
    expect(await queueOf(bob.client)).toEqual([]);
    expect(await messageCount(), 'nobody needs the ciphertext any more').toBe(before - 1);
  });

  it('keeps the order of one connection, with positions that rise', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const ids = Array.from({ length: 200 }, newId);
    const answers = await Promise.all(ids.map((id) => sendTo(ada.client, bob.person, id)));
    const positions = answers.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
    const got: string[] = [];
    for (let after = 0, more = true; more;) {
      const page = await bob.client.request(pending, { after, limit: 37 });
      got.push(...page.envelopes.map(({ messageId }) => messageId));
      after = page.envelopes.at(-1)?.queueId ?? after;
      more = page.more;
    }
    expect(got).toEqual(ids);
    const events = bob.client.events.map(({ params }) => (params as { envelope: Envelope }).envelope.messageId);
    expect(events).toEqual(ids);
  });

  it('takes a repeated send once, alone, in one batch, and after the device list has changed', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const params = {
      idempotencyId: newId(),
      payload: randomBytes(50).toString('base64'),
      recipients: [bob.person.recipient()],
    };
    const answers = await Promise.all([1, 2, 3].map(() => ada.client.request(send, params)));
    answers.push(await ada.client.request(send, params));
    expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
    const outdated = { ...params, recipients: [{ ...bob.person.recipient(), keys: [] }] };
    expect(await ada.client.request(send, outdated)).toEqual(answers[0]);
    expect(await queueOf(bob.client)).toHaveLength(1);
    expect(bob.client.events.filter(({ event }) => event === delivered.name)).toHaveLength(1);
  });

  it('keeps the ids of sends apart from those of other requests, which refuse the id of another method', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const idempotencyId = newId();
    await ada.client.request(publishPrekeys, { prekeys: [], idempotencyId });
    await sendTo(ada.client, bob.person, idempotencyId);
    await sendTo(ada.client, bob.person, idempotencyId);
    expect(await queueOf(bob.client)).toHaveLength(1);
    const devices = [{ userId: bob.person.userId, deviceId: bob.person.device.public.deviceId }];
    await refusal('invalid_request', ada.client.request(takeBundles, { devices, idempotencyId }));
    await ada.client.request(takeBundles, { devices, idempotencyId: newId() });
  });

  it('takes two senders’ messages with the same id as two', async () => {
    const [ada, eve, bob] = [await server.join(), await server.join(), await server.join()];
    const id = newId();
    await Promise.all([sendTo(ada.client, bob.person, id), sendTo(eve.client, bob.person, id)]);
    expect(await queueOf(bob.client)).toHaveLength(2);
  });

  describe('refuses', () => {
    it('a stale device list, with what is missing and what is gone', async () => {
      const [ada, bob] = [await server.join(), await server.join()];
      const { userId } = bob.person;
      const key = { deviceId: 77 as DeviceId, type: 'message' as const, body: 'AAAA' };
      const recipients = [{ userId, listVersion: 1, keys: [key] }];
      const payload = randomBytes(40).toString('base64');
      const { details } = await refusal(
        'devices_stale',
        ada.client.request(send, { idempotencyId: newId(), payload, recipients }),
      );
      const missing = [{ userId, deviceId: bob.person.device.public.deviceId }];
      expect(details).toEqual({ missing, gone: [{ userId, deviceId: 77 }] });
    });

    it('one’s own device as a recipient', async () => {
      const ada = await server.join();
      await refusal('devices_stale', sendTo(ada.client, ada.person));
    });

    it('unknown users, and anybody named twice', async () => {
      const [ada, bob] = [await server.join(), await server.join()];
      const payload = randomBytes(40).toString('base64');
      const ask = (recipients: ReturnType<typeof bob.person.recipient>[]) =>
        ada.client.request(send, { idempotencyId: newId(), payload, recipients });
      const recipient = bob.person.recipient();
      await refusal('user_unknown', ask([{ ...recipient, userId: newId() as string as UserId }]));
      await refusal('invalid_request', ask([recipient, recipient]));
      await refusal('invalid_request', ask([{ ...recipient, keys: [...recipient.keys, ...recipient.keys] }]));
      expect(await queueOf(bob.client)).toEqual([]);
    });

    it('one bad send without harm to the good ones beside it', async () => {
      const [ada, bob] = [await server.join(), await server.join()];
      const good = Array.from({ length: 5 }, () => sendTo(ada.client, bob.person));
      await refusal('devices_stale', sendTo(ada.client, ada.person));
      await Promise.all(good);
      expect(await queueOf(bob.client)).toHaveLength(5);
    });

    it('sessions that have no device', async () => {
      const ada = await server.join();
      const client = await server.connect(await ada.person.signIn(await server.connect(), null));
      await refusal('device_required', client.request(pending, { after: 0, limit: 1 }));
    });
  });

  it('empties only the queue of the device that acknowledges', async () => {
    const [ada, bob, eve] = [await server.join(), await server.join(), await server.join()];
    const recipients = [bob.person.recipient(), eve.person.recipient()];
    const payload = randomBytes(40).toString('base64');
    const { position } = await ada.client.request(send, { idempotencyId: newId(), payload, recipients });
    await ada.client.request(acknowledge, { queueIds: [position] });
    await eve.client.request(acknowledge, { queueIds: [position] });
    expect(await queueOf(eve.client)).toEqual([]);
    expect((await queueOf(bob.client))[0]?.payload).toBe(payload);
  });

  it('answers pending with no frame larger than a frame may be', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const payload = randomBytes(MAX_PAYLOAD_BYTES).toString('base64');
    for (let i = 0; i < 5; i++) await sendTo(ada.client, bob.person, newId(), payload);
    const sizes: number[] = [];
    bob.client.socket.on('message', (data: Buffer) => sizes.push(data.length));
    let [count, after] = [0, 0];
    for (let more = true; more;) {
      const page = await bob.client.request(pending, { after, limit: 100 });
      expect(page.envelopes.length).toBeGreaterThan(0);
      count += page.envelopes.length;
      after = page.envelopes.at(-1)?.queueId ?? 0;
      more = page.more;
    }
    expect(count).toBe(5);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_FRAME_BYTES);
  });
});

it('gives rising positions when the clock goes back, also over a restart', async () => {
  let ahead = 3_600_000;
  const now = () => Date.now() + ahead;
  const first = await startTestServer({ now });
  const [ada, bob] = [await first.join(), await first.join()];
  const before = await sendTo(ada.client, bob.person);
  ahead = 0;
  const later = await sendTo(ada.client, bob.person);
  expect(later.position).toBeGreaterThan(before.position);
  await first.close();

  const second = await startTestServer({ now }, { TEAHOUSE_DATA: first.dataDir });
  const after = await sendTo(await second.connect(ada.session), bob.person);
  expect(after.position).toBeGreaterThan(later.position);
  await second.dispose();
});

it('takes no position from a clock that cannot be right, so that later ones are no greater than people’s clients can show', async () => {
  let now = () => Date.UTC(2199, 0);
  const server = await startTestServer({ now: () => now() });
  const [ada, bob] = [await server.join(), await server.join()];
  const wrong = await sendTo(ada.client, bob.person);
  expect(wrong.position).toBeLessThan(Date.UTC(2200, 0) * 1000);
  now = Date.now;
  const right = await sendTo(ada.client, bob.person);
  expect(right.position).toBe(wrong.position + 1);
  await server.dispose();
});
