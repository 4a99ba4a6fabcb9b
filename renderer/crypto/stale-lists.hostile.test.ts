import { beforeEach, describe, expect, it } from 'vitest';
import { DeviceList, LIST_RENEWAL_MS, MAX_CLOCK_SKEW_MS } from '../../protocol/devices.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

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

async function publish(client: TestClient, list: SignedDeviceList): Promise<void> {
  relay.lists.set(client.userId, list);
  await client.fetchLists([client.userId]);
}

async function issuedAt(client: TestClient, other: TestClient) {
  const { conversations } = await client.vault.updateLists({
    lists: [relay.lists.get(other.userId)!],
    asked: [other.userId],
  });
  const [touched] = conversations;
  return touched?.listIssuedAt;
}

describe('a device list', () => {
  it('is signed anew when it is a week old, by the device that can, with the same devices', async () => {
    const second = await TestClient.link(ben);
    const before = read(relay.lists.get(ben.userId)!);
    expect(await ben.vault.listToPublish()).toBeNull();
    ben.time += LIST_RENEWAL_MS;
    second.time = ben.time;
    expect(await second.vault.listToPublish()).toBeNull();
    const renewed = (await ben.vault.listToPublish())!;
    expect(read(renewed.list)).toEqual({ ...before, version: before.version + 1, issuedAt: ben.time });
    await publish(ben, renewed.list);
    expect(await ben.vault.listToPublish()).toBeNull();
  });

  it('that is held back shows its age, and goes on being used', async () => {
    expect(await issuedAt(ada, ben)).toBe(ben.time);
    const second = await TestClient.link(ben);
    const { list } = await ben.vault.changeOwnList({ remove: second.address.deviceId });
    // The server keeps the removal to itself; what it can show is what was signed before it.
    const signedAt = read(relay.lists.get(ben.userId)!).issuedAt;
    ben.time += 40 * LIST_RENEWAL_MS;
    ada.time = ben.time;
    expect(await issuedAt(ada, ben)).toBe(signedAt);
    await ada.write(ben, 'still goes out');
    expect(await ada.states(ben)).toEqual(['sent']);
    await publish(ben, list);
    expect(await issuedAt(ada, ben)).toBeGreaterThanOrEqual(signedAt);
  });

  it('that is dated in the far future is refused, since it would never show its age', async () => {
    await ada.write(ben, 'hello');
    const right = ben.time;
    ben.time += MAX_CLOCK_SKEW_MS + LIST_RENEWAL_MS;
    const ahead = (await ben.vault.listToPublish())!;
    relay.lists.set(ben.userId, ahead.list);
    await ada.fetchLists([ben.userId]);
    expect((await ada.vault.conversations())[0]?.listIssuedAt).toBe(right);
    // Clocks that differ by less do no harm.
    ada.time += LIST_RENEWAL_MS + 1;
    expect(await issuedAt(ada, ben)).toBe(read(ahead.list).issuedAt);
  });

  it('that a clock set ahead has dated is signed anew once the clock is right', async () => {
    const right = ben.time;
    ben.time += 400 * LIST_RENEWAL_MS;
    const ahead = (await ben.vault.listToPublish())!;
    await publish(ben, ahead.list);
    ben.time = right;
    const again = (await ben.vault.listToPublish())!;
    expect(read(again.list)).toMatchObject({ version: read(ahead.list).version + 1, issuedAt: right });
  });
});
