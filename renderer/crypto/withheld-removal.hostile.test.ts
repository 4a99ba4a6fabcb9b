import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { signDeviceList } from '../../crypto/identity/account-key.ts';
import { DeviceList, LIST_RENEWAL_MS, MAX_CLOCK_SKEW_MS } from '../../protocol/devices.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import { loadAccountKey } from './operations/account-key.ts';
import { Profiles } from './profiles.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';
import type { ListChange } from './vault.ts';

/* A server that keeps the removal of a device to itself, and what is legitimate and looks like it. */

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let stolen: TestClient;
/** The list of ben's that names the stolen device. */
let before: SignedDeviceList;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  stolen = await TestClient.link(ben);
  before = relay.lists.get(ben.userId)!;
});

function read(signed: SignedDeviceList): DeviceList {
  return DeviceList.parse(JSON.parse(signed.payload));
}

function names(signed: SignedDeviceList): readonly number[] {
  return read(signed).devices.map(({ deviceId }) => deviceId);
}

function removal(): Promise<ListChange> {
  return ben.vault.changeOwnList({ remove: stolen.address.deviceId });
}

async function show(list: SignedDeviceList, to = ben): Promise<void> {
  relay.lists.set(to.userId, list);
  await to.fetchLists([to.userId]);
}

/** What an app of an earlier version signs, which knows nothing of what was removed; or a copy of this device's disk. */
async function signedElsewhere(client: TestClient, list: DeviceList): Promise<SignedDeviceList> {
  await client.vault.close();
  const profiles = await Profiles.load({ indexedDB: client.disk, IDBKeyRange }, () => client.time, null, HOME);
  const profile = (await profiles.openLast())!;
  const key = (await loadAccountKey(profile))!;
  profiles.close();
  await client.restart();
  return signDeviceList(key, list);
}

describe('a server that takes a removal and shows the list from before', () => {
  it('gets no list any more that names the device, however often it is signed anew, and no version twice', async () => {
    const signed = [await removal()];
    await ben.vault.listPublished(signed[0]!);
    for (let week = 0; week < 10; week += 1) {
      await show(before);
      ben.time += LIST_RENEWAL_MS + 1;
      if (week % 3 === 1) await ben.restart();
      const renewed = await ben.vault.listToPublish();
      signed.push(renewed!);
      // Said to be taken, or refused, or no answer at all.
      if (week % 3 === 0) await ben.vault.listPublished(renewed!);
      if (week % 3 === 1) await ben.vault.listRefused(renewed!);
    }
    const contents = new Map<number, string>();
    for (const { list } of signed) {
      expect(names(list)).toEqual([ben.address.deviceId]);
      const { version } = read(list);
      expect(contents.get(version) ?? list.payload, `version ${version}`).toBe(list.payload);
      contents.set(version, list.payload);
    }
    expect(contents.size).toBeGreaterThanOrEqual(7);
    // So colleagues either stop writing to it, or see that nothing was confirmed.
    ada.time = ben.time;
    relay.lists.set(ben.userId, signed.at(-1)!.list);
    await ada.write(ben, 'after the removal');
    expect(relay.queue(stolen.address)).toHaveLength(0);
  });

  it.each([
    ['before it is published', (): unknown => undefined],
    ['once it was taken', (change: ListChange) => ben.vault.listPublished(change)],
    ['though it was refused', (change: ListChange) => ben.vault.listRefused(change)],
  ])('gets no copy of what the owner writes for that device, %s', async (_, answer) => {
    await ben.write(ada, 'before');
    const waited = relay.queue(stolen.address).length;
    expect(waited).toBeGreaterThan(0);
    const change = await removal();
    await answer(change);
    await show(before);
    const recipients = async () => {
      await ben.enqueue(ada, 'after');
      const [conversation] = await ben.vault.outbox();
      const item = await ben.sealOldest(conversation!);
      if (item === null || !('params' in item)) throw new Error('not sealed');
      await ben.vault.sent({ messageId: item.messageId, position: 1_790_000_000_900_000 });
      return item.params.recipients.flatMap(({ keys }) => keys.map(({ deviceId }) => deviceId));
    };
    expect(await recipients()).toEqual([ada.address.deviceId]);
    await ben.restart();
    expect(await recipients(), 'after a restart').toEqual([ada.address.deviceId]);
    expect((await ben.vault.ownDevices()).devices.map(({ deviceId }) => deviceId)).toEqual([ben.address.deviceId]);
  });

  it('cannot have the owner believe what that device sends', async () => {
    await stolen.write(ada, 'before');
    await ben.fetch();
    await removal();
    await show(before);
    await stolen.write(ada, 'after');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['before']);
  });

  it('is given the list again, by each device of the owner, and that it does not show it is known', async () => {
    const third = await TestClient.link(ben);
    before = relay.lists.get(ben.userId)!;
    const change = await removal();
    expect(await ben.vault.ownDevices()).toMatchObject({ unpublished: true });
    await ben.vault.listPublished(change);
    expect(await ben.vault.ownDevices()).toMatchObject({ unpublished: false });
    await show(change.list, third);
    for (const client of [ben, third]) {
      await show(before, client);
      await client.restart();
      expect(await client.vault.ownDevices()).toMatchObject({ unpublished: true });
      const again = (await client.vault.listToPublish())!;
      expect(again.list).toEqual(change.list);
      // What the server says of another request is not repeated for this one.
      expect(again.idempotencyId).not.toBe(change.idempotencyId);
      await client.vault.listPublished(again);
      expect(await client.vault.ownDevices(), 'it still shows the older one').toMatchObject({ unpublished: true });
      await show(change.list, client);
      expect(await client.vault.ownDevices()).toMatchObject({ unpublished: false });
      expect(await client.vault.listToPublish()).toBeNull();
    }
  });
});

describe('a removal that is late for a good reason', () => {
  it('is published after a crash as the very same request', async () => {
    const change = await removal();
    await ben.restart();
    await ben.fetchLists([ben.userId]);
    expect(await ben.vault.listToPublish()).toEqual(change);
    // The crash came after the server had taken it.
    await show(change.list);
    expect(await ben.vault.listToPublish()).toBeNull();
    expect(await ben.vault.ownDevices()).toMatchObject({ unpublished: false });
  });

  it('is not undone by a change that is signed before it arrives, nor by one that the server refuses', async () => {
    await removal();
    const { link, listed } = await TestClient.asking(ben);
    const code = await ben.vault.linkCode(listed);
    const added = await ben.vault.changeOwnList({ add: listed, code });
    expect(names(added.list)).toEqual([ben.address.deviceId, listed.deviceId]);
    // Its request has ended meanwhile.
    await ben.vault.listRefused(added);
    const next = (await ben.vault.listToPublish())!;
    expect(names(next.list)).toEqual([ben.address.deviceId]);
    expect(read(next.list).version).toBeGreaterThan(read(added.list).version);
    const again = await ben.vault.changeOwnList({ add: listed, code });
    relay.publish(link.device, again.list);
    await ben.fetchLists([ben.userId]);
    expect((await ben.vault.ownDevices()).devices).toHaveLength(2);
    expect(await ben.vault.listToPublish()).toBeNull();
  });

  it('does not undo another change that the server may have taken already', async () => {
    const { link, listed } = await TestClient.asking(ben);
    const added = await ben.vault.changeOwnList({ add: listed, code: await ben.vault.linkCode(listed) });
    // The answer was lost, and the list that is fetched is from before.
    const { list } = await removal();
    expect(names(list)).toEqual([ben.address.deviceId, listed.deviceId]);
    relay.publish(link.device, added.list);
    await show(list);
    expect(await ben.vault.listToPublish()).toBeNull();
  });

  it('wins over a list that an app of an earlier version has signed at the same time', async () => {
    const change = await removal();
    const { version, ...list } = read(before);
    const other = await signedElsewhere(ben, { ...list, version: version + 1, issuedAt: ben.time + 1 });
    expect(read(other).version).toBe(read(change.list).version);
    await show(other);
    await ben.vault.listRefused(change);
    const next = (await ben.vault.listToPublish())!;
    expect(read(next.list).version).toBe(version + 2);
    expect(names(next.list)).toEqual([ben.address.deviceId]);
    await show(next.list);
    expect(await ben.vault.ownDevices()).toMatchObject({ unpublished: false });
    expect((await ada.vault.updateLists({ lists: [next.list], asked: [ben.userId] })).conversations[0]?.problem).toBe(
      null,
    );
  });

  it('is signed anew if the clock was ahead then', async () => {
    const right = ben.time;
    ben.time += 2 * MAX_CLOCK_SKEW_MS;
    const ahead = await removal();
    ben.time = right;
    const next = (await ben.vault.listToPublish())!;
    expect(read(next.list)).toMatchObject({ version: read(ahead.list).version + 1, issuedAt: right });
    expect(names(next.list)).toEqual([ben.address.deviceId]);
  });
});

it('a device that was removed is linked again under another id, and only so', async () => {
  const old = read(before).devices.find(({ deviceId }) => deviceId === stolen.address.deviceId)!;
  await show((await removal()).list);
  const code = await ben.vault.linkCode(old);
  await expect(ben.vault.changeOwnList({ add: old, code })).rejects.toThrow('was removed');
  const { link, listed } = await stolen.askToBeLinked(true);
  expect(listed.deviceId).not.toBe(old.deviceId);
  const { list } = await ben.vault.changeOwnList({ add: listed, code: await ben.vault.linkCode(listed) });
  relay.publish(link.device, list);
  await ben.fetchLists([ben.userId]);
  await ben.flush();
  expect(await stolen.vault.completeLink(list)).toMatchObject({ kind: 'linked' });
  await stolen.fetch();
  expect(await stolen.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
});
