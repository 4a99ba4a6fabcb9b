import fc from 'fast-check';
import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '../../crypto/bytes.ts';
import { sealMessage } from '../../crypto/envelopes/seal-message.ts';
import { generateAccountKey, signDeviceList } from '../../crypto/identity/account-key.ts';
import { linkCode } from '../../crypto/identity/link-code.ts';
import { DeviceList } from '../../protocol/devices.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import type { HandOverContent } from '../../protocol/hand-over.ts';
import { DeviceId, IdempotencyId, MessageId, UserId } from '../../protocol/ids.ts';
import { Profiles } from './profiles.ts';
import { SessionRows } from './session-rows.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
});

function read(signed: SignedDeviceList): DeviceList {
  return DeviceList.parse(JSON.parse(signed.payload));
}

/** What a server makes that holds no account key but its own: the same list, signed by that. */
async function forge(signed: SignedDeviceList, change: Partial<DeviceList> = {}): Promise<SignedDeviceList> {
  return signDeviceList(await generateAccountKey(), { ...read(signed), ...change });
}

async function problemOf(client: TestClient, other: TestClient) {
  return (await client.vault.updateLists({ lists: [relay.lists.get(other.userId)!], asked: [other.userId] }))
    .conversations[0]?.problem;
}

/** Hand-over content sealed on `from`'s own ratchets, as a client of somebody's own making could. */
async function sendHandOver(from: TestClient, to: TestClient, content: HandOverContent, conversation: UserId) {
  await from.vault.close();
  const profiles = await Profiles.load({ indexedDB: from.disk, IDBKeyRange }, () => from.time, null, HOME);
  const profile = (await profiles.openLast())!;
  const messageId = MessageId.parse(crypto.randomUUID());
  const { payload, recipients } = await sealMessage({
    content: { version: 1, conversation, sentAt: 1, content },
    messageId,
    sender: from.address,
    recipients: [profile.peers.get(to.userId)!.list],
    store: new SessionRows(profile),
  });
  relay.send(from.address, { payload, recipients, idempotencyId: IdempotencyId.parse(messageId) });
}

describe('the code that both screens show', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => toBase64(raw));
  const inputs = fc.record({
    userId: fc.uuid().map((id) => UserId.parse(id)),
    accountKey: bytes(32),
    device: fc.record({
      deviceId: fc.integer({ min: 1, max: 0x7fffffff }).map((id) => DeviceId.parse(id)),
      identityKey: bytes(33),
      authenticationKey: bytes(32),
    }),
  });

  it('is another one if anything that it covers is another', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, inputs, async (a, b) => {
        const code = await linkCode(a);
        expect(code).toMatch(/^\d{5}( \d{5}){5}$/);
        const others = [
          { ...a, userId: b.userId },
          { ...a, accountKey: b.accountKey },
          ...(['deviceId', 'identityKey', 'authenticationKey'] as const).map((field) => ({
            ...a,
            device: { ...a.device, [field]: b.device[field] },
          })),
        ];
        for (const other of others) {
          if (JSON.stringify(other) !== JSON.stringify(a)) expect(await linkCode(other)).not.toBe(code);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a server that swaps the new device’s keys', () => {
  it('between the showing and the approval gets nothing signed', async () => {
    const { listed } = await TestClient.asking(ada);
    const code = await ada.vault.linkCode(listed);
    const [bundle] = relay.takeBundles([ben.address]);
    const swapped = { ...listed, identityKey: bundle!.identityKey };
    await expect(ada.vault.changeOwnList({ add: swapped, code })).rejects.toThrow('not the one whose code was shown');
    const { authenticationKey } = read(relay.lists.get(ben.userId)!).devices[0]!;
    const other = { ...listed, authenticationKey };
    await expect(ada.vault.changeOwnList({ add: other, code })).rejects.toThrow('not the one whose code was shown');
    expect(read((await ada.vault.changeOwnList({ add: listed, code })).list).devices).toContainEqual(listed);
  });
});

describe('a server that gives the new device another account key', () => {
  it('makes the codes differ, and cannot finish with the genuine list either', async () => {
    const client = new TestClient(relay);
    await client.vault.open(null, HOME);
    client.account = ada.account;
    const forged = await forge(relay.lists.get(ada.userId)!);
    const { link, listed } = await client.askToBeLinked(false, forged);
    const code = await ada.vault.linkCode(listed);
    expect(link.code).not.toBe(code);
    // Should the person approve all the same, the key that was shown stays the only one that is accepted.
    const { list } = await ada.vault.changeOwnList({ add: listed, code });
    expect(await client.vault.completeLink(list)).toEqual({ kind: 'refused' });
    await client.restart();
    expect(await client.vault.standing()).toMatchObject({ kind: 'linking', awaits: 'approval' });
  });

  it('after the code was shown is refused, whatever its list names', async () => {
    const { client, link, listed } = await TestClient.asking(ada);
    const genuine = relay.lists.get(ada.userId)!;
    const { devices } = read(genuine);
    const forged = await forge(genuine, { version: 2, devices: [...devices, listed] });
    expect(await client.vault.completeLink(forged)).toEqual({ kind: 'refused' });
    expect(await client.vault.prepareLink({ deviceName: 'Second', list: forged })).toBeNull();
    expect((await client.askToBeLinked()).link.code).toBe(link.code);
    expect((await client.vault.ownDevices()).devices).toEqual([]);
  });
});

describe('a server that adds a device of its own', () => {
  it('to the list that links, or later, is refused and shown', async () => {
    const { client, listed } = await TestClient.asking(ada);
    const { list } = await ada.vault.changeOwnList({ add: listed, code: await ada.vault.linkCode(listed) });
    const silent = { ...listed, deviceId: ben.address.deviceId };
    const devices = [...read(list).devices, silent];
    const altered = { ...list, payload: JSON.stringify({ ...read(list), devices }) };
    expect(await client.vault.completeLink(altered)).toEqual({ kind: 'refused' });
    expect(await client.vault.completeLink(list)).toMatchObject({ kind: 'linked' });
    const forged = await forge(list, { version: 3, devices: [...read(list).devices] });
    await client.vault.updateLists({ lists: [forged, altered], asked: [ada.userId] });
    expect((await client.vault.ownDevices()).devices).toEqual(read(list).devices);
  });
});

describe('a server that drops the hand-over', () => {
  it('keeps the new device out, which believes nobody’s keys and loses nothing', async () => {
    await ada.write(ben, 'hello');
    const client = await TestClient.approved(ada);
    await ben.write(ada, 'to both');
    const envelopes = [...relay.queue(client.address)];
    expect(envelopes).toHaveLength(1);
    expect(await client.receive(envelopes)).toMatchObject({ acknowledge: [], arrived: [], needLists: null });
    relay.lists.set(ben.userId, await forge(relay.lists.get(ben.userId)!));
    await client.fetchLists([ben.userId]);
    await client.restart();
    expect(await client.vault.completeHandOver()).toMatchObject({ kind: 'linking', awaits: 'hand-over' });
    expect(await client.vault.outdatedLists([{ userId: ben.userId, version: 9 }])).toEqual([]);
    // It comes after all: the forged key meets the pinned one, and then the message is there.
    await ada.flush();
    await client.fetch();
    expect(await client.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
    expect(await problemOf(client, ben)).toBe('account-key-changed');
  });

  it('cannot let it in by another sign-in', async () => {
    const client = await TestClient.approved(ada);
    await client.vault.signedOut();
    expect(await client.vault.signInProof({ username: 'ada', challenge: toBase64(new Uint8Array(32)) })).not.toBeNull();
    const standing = await client.vault.signedIn({ account: ada.account, session: 'A'.repeat(43) });
    expect(standing).toMatchObject({ kind: 'linking', awaits: 'hand-over' });
  });
});

describe('a server that shows a linked device other people’s keys', () => {
  it('is refused by what was handed over, and the conversation says so', async () => {
    await ada.write(ben, 'hello');
    const second = await TestClient.link(ada);
    const genuine = relay.lists.get(ben.userId)!;
    relay.lists.set(ben.userId, await forge(genuine, { version: 2 }));
    expect(await problemOf(second, ben)).toBe('account-key-changed');
    await second.write(ben, 'not sent');
    expect(await second.states(ben)).toEqual(['failed']);
    await second.restart();
    await second.write(ben, 'nor this');
    expect(await second.states(ben)).toEqual(['failed', 'failed']);
    relay.lists.set(ben.userId, genuine);
    expect(await problemOf(second, ben)).toBeNull();
    await second.write(ben, 'sent');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', 'sent']);
  });

  it('cannot show an older device list than the approving device has seen', async () => {
    const first = relay.lists.get(ben.userId)!;
    await TestClient.link(ben);
    await ada.write(ben, 'to both devices');
    const second = await TestClient.link(ada);
    relay.lists.set(ben.userId, first);
    expect(await problemOf(second, ben)).toBe('device-list-rolled-back');
  });
});

describe('a hand-over that is not this device’s', () => {
  const empty = (client: TestClient, identityKey: string): HandOverContent => ({
    kind: 'hand-over',
    deviceId: client.address.deviceId,
    identityKey,
    handOverId: crypto.randomUUID(),
    part: 0,
    parts: 1,
    pins: [],
  });

  it('does not let it in: an own earlier one replayed, and another device’s', async () => {
    const earlier = await TestClient.approved(ada);
    await ada.flush();
    const replayed = [...relay.queue(earlier.address)];
    const client = await TestClient.approved(ada);
    await client.receive(replayed);
    await client.receive(
      replayed.map((envelope) => ({ ...envelope, messageId: MessageId.parse(crypto.randomUUID()) })),
    );
    expect(await client.vault.completeHandOver()).toMatchObject({ awaits: 'hand-over' });
    // A copy that reaches it genuinely, but names the other device.
    await ada.flush();
    const { identityKey } = read(relay.lists.get(ada.userId)!).devices.at(-2)!;
    relay.queue(client.address).splice(0);
    await ada.vault.startSessions(relay.takeBundles([client.address]));
    await sendHandOver(ada, client, empty(earlier, identityKey), ada.userId);
    await client.fetch();
    expect(await client.vault.completeHandOver()).toMatchObject({ awaits: 'hand-over' });
  });

  it('is not believed from another person, before or after', async () => {
    const second = await TestClient.link(ada);
    const { identityKey } = read(relay.lists.get(ada.userId)!).devices.at(-1)!;
    const eve = await TestClient.signUp(relay, 'eve');
    await eve.write(ada, 'hello');
    const pins = [
      { userId: ben.userId, accountKey: toBase64(new Uint8Array(32).fill(7)), listVersion: 99, name: null },
    ];
    await sendHandOver(eve, ada, { ...empty(second, identityKey), pins }, ada.userId);
    await second.fetch();
    expect(await second.texts(eve)).toEqual(['hello', '(unreadable)']);
    await second.write(ben, 'still');
    expect(await second.states(ben)).toEqual(['sent']);
  });
});

describe('one false “device unknown”', () => {
  it('never costs the only device its keys', async () => {
    await expect(ada.askToBeLinked(true)).rejects.toThrow('cannot be replaced');
    await expect(ada.askToBeLinked(false)).rejects.toThrow('has keys of the account already');
    expect(await ada.vault.deviceHeld('ada')).toBe('key-holder');
    await ada.vault.abandonLink();
    await ada.restart();
    await ada.write(ben, 'still here');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['still here']);
    expect((await ada.vault.ownDevices()).canSign).toBe(true);
  });

  it('leaves another device its keys until others are linked in their place', async () => {
    const second = await TestClient.link(ada);
    const { address } = second;
    expect(await second.vault.deviceHeld('ada')).toBe('device');
    await second.askToBeLinked(true);
    await second.restart();
    await second.vault.abandonLink();
    await second.restart();
    const proof = await second.vault.signInProof({ username: 'ada', challenge: toBase64(new Uint8Array(32)) });
    expect(proof?.deviceId).toBe(address.deviceId);
    expect(await second.vault.signedIn({ account: ada.account, session: 'A'.repeat(43) })).toMatchObject({
      kind: 'ready',
    });
    second.address = address;
    await ben.write(ada, 'to both');
    await second.fetch();
    expect(await second.texts(ben)).toEqual(['to both']);
  });
});
