import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUp } from '../../../protocol/accounts.ts';
import { pending } from '../../../protocol/chat.ts';
import {
  linked,
  linkRequested,
  linkRequests,
  listChanged,
  lists,
  PREKEY_LOW,
  prekeysLow,
  prekeyStatus,
  publishList,
  publishPrekeys,
  requestLink,
  takeBundles,
} from '../../../protocol/devices.ts';
import { CloseCode } from '../../../protocol/frames.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import {
  newDevice,
  newId,
  Person,
  prekeys,
  sendTo,
  signalKey,
  signature,
  type TestDevice,
} from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ahead = 0;

  beforeAll(async () => {
    server = await startTestServer({ now: () => Date.now() + ahead }, await newDatabase());
  });
  afterAll(() => server.dispose());

  /** A second device of a member, that has asked to be linked. */
  async function asking(member: Member, device = newDevice()) {
    const client = await server.connect();
    const session = await member.person.signIn(client, null);
    await client.hello({ session: session as never });
    await client.request(requestLink, { device: device.public, idempotencyId: newId() });
    return { client, session, device };
  }

  async function link(member: Member, device: TestDevice, version: number) {
    const list = member.person.list(version, [member.person.device.public, device.public]);
    await member.client.request(publishList, { list, idempotencyId: newId() });
  }

  describe('device lists', () => {
    it('are given as they were signed', async () => {
      const { person, client } = await server.join();
      const users = [person.userId, newId() as string as UserId];
      expect(await client.request(lists, { users })).toEqual({ lists: [person.list(1)] });
    });

    it('are refused at sign-up when they are not the new device’s, or not well signed', async () => {
      const visitor = await server.connect();
      const invitation = await server.invitation();
      const person = new Person();
      const right = person.signUpParams(invitation);
      const forged = { ...right.deviceList, signature: signature(newDevice().authentication, 'anything') };
      const wrong = [
        forged,
        { ...right.deviceList, payload: right.deviceList.payload.replace('"version":1', '"version":2') },
        new Person().list(1),
        person.list(1, [newDevice().public]),
        person.list(1, [person.device.public, newDevice().public]),
        person.list(1, [person.device.public], { version: 0 }),
        new Person().list(1, [person.device.public], { userId: person.userId, issuedAt: -1 }),
      ];
      for (const deviceList of wrong) {
        await refusal('device_list_invalid', visitor.request(signUp, { ...right, deviceList }));
      }
      await visitor.request(signUp, right);
    });

    it('link a device that has asked, which hears of it, as does everybody else', async () => {
      const [member, other] = [await server.join(), await server.join()];
      const { client, session, device } = await asking(member);
      const { request } = await member.client.next(linkRequested);
      expect(request).toMatchObject({ deviceId: device.public.deviceId, identityKey: device.public.identityKey });
      expect((await member.client.request(linkRequests, {})).requests).toEqual([request]);

      await link(member, device, 2);
      expect(await client.next(linked)).toEqual({ deviceId: device.public.deviceId });
      const { userId } = member.person;
      expect(await other.client.next(listChanged)).toEqual({ userId, version: 2 });
      expect((await client.hello({ session: session as never })).deviceId).toBe(device.public.deviceId);
      expect((await member.client.request(linkRequests, {})).requests).toEqual([]);
      const { bundles } = await other.client.request(takeBundles, {
        devices: [{ userId, deviceId: device.public.deviceId }],
        idempotencyId: newId(),
      });
      expect(bundles[0]?.identityKey).toBe(device.public.identityKey);
    });

    it('need a higher version, the same account key, and devices that have asked', async () => {
      const member = await server.join();
      const { person, client } = member;
      const publish = (list: ReturnType<Person['list']>) =>
        client.request(publishList, { list, idempotencyId: newId() });
      await refusal('device_list_outdated', publish(person.list(1)));
      await refusal('device_unknown', publish(person.list(2, [person.device.public, newDevice().public])));
      const impostor = new Person();
      const foreign = impostor.list(2, [person.device.public], { userId: person.userId });
      await refusal('device_list_invalid', publish(foreign));
      await refusal('device_list_invalid', publish({ ...person.list(2), signature: person.list(3).signature }));
      const changed = { ...person.device.public, identityKey: signalKey() };
      await refusal('device_list_invalid', publish(person.list(2, [changed])));
      const { device } = await asking(member);
      const swapped = { ...device.public, identityKey: signalKey() };
      await refusal('device_unknown', publish(person.list(2, [person.device.public, swapped])));
      await link(member, device, 2);
      await refusal('device_list_outdated', publish(person.list(2)));
    });

    it('forget requests after ten minutes', async () => {
      const member = await server.join();
      const { device } = await asking(member);
      ahead = 10 * 60_000 + 1000;
      try {
        expect((await member.client.request(linkRequests, {})).requests).toEqual([]);
        await refusal('device_unknown', link(member, device, 2));
      } finally {
        ahead = 0;
      }
    });

    it('take the session, prekeys and queue from a device that leaves', async () => {
      const member = await server.join();
      const { person } = member;
      const { client: second, session, device } = await asking(member);
      await link(member, device, 2);
      await second.hello({ session: session as never });
      const sender = await server.join();
      const recipients = [person.recipient([person.device.public, device.public])];
      const payload = Buffer.alloc(40).toString('base64');
      await sender.client.raw('chat.send', { idempotencyId: newId(), payload, recipients });
      expect((await second.request(pending, { after: 0, limit: 10 })).envelopes).toHaveLength(1);

      await member.client.request(publishList, { list: person.list(3), idempotencyId: newId() });
      expect(await second.closed).toBe(CloseCode.sessionRevoked);
      await refusal('session_invalid', (await server.connect()).hello({ session: session as never }));
      const left = () =>
        server.store.db
          .selectFrom('queue')
          .select('position')
          .where('userId', '=', person.userId)
          .where('deviceId', '=', device.public.deviceId)
          .execute();
      await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 10_000 });
      const devices = [{ userId: person.userId, deviceId: device.public.deviceId }];
      expect(await sender.client.request(takeBundles, { devices, idempotencyId: newId() })).toEqual({ bundles: [] });
      expect(
        (await member.client.request(pending, { after: 0, limit: 10 })).envelopes,
        'the other device keeps its own',
      ).toHaveLength(1);
    });

    it('answer a repeat without changing anything', async () => {
      const { person, client } = await server.join();
      const params = { list: person.list(2), idempotencyId: newId() };
      expect(await client.request(publishList, params)).toEqual({});
      expect(await client.request(publishList, params)).toEqual({});
    });
  });

  describe('link requests', () => {
    it('are for sessions that have no device, with keys that are keys, and ids that are free', async () => {
      const member = await server.join();
      await refusal(
        'forbidden',
        member.client.request(requestLink, { device: newDevice().public, idempotencyId: newId() }),
      );
      const client = await server.connect();
      await client.hello({ session: (await member.person.signIn(client, null)) as never });
      const { public: device } = newDevice();
      const bad = { ...device, prekeys: [{ keyId: 1, publicKey: Buffer.alloc(33).toString('base64') }] };
      await refusal('prekey_invalid', client.request(requestLink, { device: bad, idempotencyId: newId() }));
      const taken = { ...device, deviceId: member.person.device.public.deviceId };
      await refusal('device_list_invalid', client.request(requestLink, { device: taken, idempotencyId: newId() }));
      await refusal('device_required', client.request(linkRequests, {}));
    });
  });

  describe('prekeys', () => {
    it('are given once each, however many ask at the same time', async () => {
      const { person } = await server.join(new Person(undefined, undefined, newDevice(12)));
      const askers = await Promise.all([1, 2, 3].map(() => server.join()));
      const devices = [{ userId: person.userId, deviceId: person.device.public.deviceId }];
      const taken = await Promise.all(
        Array.from({ length: 15 }, (_, index) =>
          askers[index % 3]?.client.request(takeBundles, { devices, idempotencyId: newId() }),
        ),
      );
      const keys = taken.flatMap((answer) => answer?.bundles ?? []).map(({ prekey }) => prekey?.keyId);
      const given = keys.filter((key) => key !== undefined);
      expect(new Set(given).size).toBe(12);
      expect(given).toHaveLength(12);
      expect(
        keys.filter((key) => key === undefined),
        'without one, the signed prekey has to do',
      ).toHaveLength(3);
    });

    it('are the same in the answer to a repeat', async () => {
      const { person } = await server.join();
      const { client } = await server.join();
      const devices = [{ userId: person.userId, deviceId: person.device.public.deviceId }];
      const params = { devices, idempotencyId: newId() };
      const [first, second] = await Promise.all([
        client.request(takeBundles, params),
        client.request(takeBundles, params),
      ]);
      expect(second).toEqual(first);
      expect(await client.request(takeBundles, params)).toEqual(first);
      expect(first.bundles[0]).toMatchObject({ signedPrekey: person.device.public.signedPrekey });
    });

    it('are reported when they run low', async () => {
      const member = await server.join(new Person(undefined, undefined, newDevice(PREKEY_LOW + 1)));
      const { client } = await server.join();
      const devices = [{ userId: member.person.userId, deviceId: member.person.device.public.deviceId }];
      await client.request(takeBundles, { devices, idempotencyId: newId() });
      await client.request(takeBundles, { devices, idempotencyId: newId() });
      expect(await member.client.next(prekeysLow)).toEqual({ remaining: PREKEY_LOW - 1 });
      expect(member.client.events.filter(({ event }) => event === prekeysLow.name)).toEqual([]);
    });

    it('are added, counted and rotated', async () => {
      const { client, person } = await server.join();
      const before = await client.request(prekeyStatus, {});
      expect(before).toMatchObject({ remaining: 5, signedPrekeyId: 1 });
      const signedPrekey = { ...person.device.public.signedPrekey, keyId: 2, publicKey: signalKey() };
      const params = { signedPrekey, prekeys: prekeys(10, 100), idempotencyId: newId() };
      expect(await client.request(publishPrekeys, params)).toEqual({ remaining: 15 });
      expect(await client.request(publishPrekeys, params)).toEqual({ remaining: 15 });
      const again = { prekeys: params.prekeys, idempotencyId: newId() };
      expect(await client.request(publishPrekeys, again), 'the same keys once more add none').toEqual({
        remaining: 15,
      });
      const after = await client.request(prekeyStatus, {});
      expect(after).toMatchObject({ remaining: 15, signedPrekeyId: 2 });
      expect(after.signedPrekeyAt).toBeGreaterThanOrEqual(before.signedPrekeyAt);
    });

    it('are refused when they are not keys, share an id, or are too many', async () => {
      const { client } = await server.join();
      const publish = (keys: ReturnType<typeof prekeys>) =>
        client.request(publishPrekeys, { prekeys: keys, idempotencyId: newId() });
      await refusal('prekey_invalid', publish([{ keyId: 9, publicKey: Buffer.alloc(33, 7).toString('base64') }]));
      await refusal('prekey_invalid', publish([...prekeys(1, 9), ...prekeys(1, 9)]));
      await refusal('prekey_invalid', publish(prekeys(1, 1)));
      for (let first = 1000; first < 1400; first += 100) await publish(prekeys(100, first));
      await refusal('prekey_invalid', publish(prekeys(100, 1400)));
    });
  });

  it('sends to a person whose device was linked meanwhile only once the list is right', async () => {
    const member = await server.join();
    const sender = await server.join();
    await sendTo(sender.client, member.person);
    const { device } = await asking(member);
    await link(member, device, 2);
    const { details } = await refusal('devices_stale', sendTo(sender.client, member.person));
    expect(details).toEqual({
      missing: [{ userId: member.person.userId, deviceId: device.public.deviceId }],
      gone: [],
    });
  });
});
