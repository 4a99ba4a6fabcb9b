import { beforeEach, describe, expect, it } from 'vitest';
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

describe('a second device', () => {
  it('gets what is written to its account, and copies of what the first one writes', async () => {
    const second = await TestClient.link(ada);
    await ben.write(ada, 'to both');
    await ada.fetch();
    await second.fetch();
    await ada.write(ben, 'from the first');
    await ben.fetch();
    await second.fetch();
    await second.write(ben, 'from the second');
    await ben.fetch();
    await ada.fetch();
    const all = ['to both', 'from the first', 'from the second'];
    for (const [client, other] of [
      [ada, ben],
      [second, ben],
      [ben, ada],
    ] as const) {
      expect(await client.texts(other)).toEqual(all);
    }
    expect((await second.messages(ben)).map(({ mine }) => mine)).toEqual([false, true, true]);
  });

  it('that a sender does not know yet makes the send stale, which is repaired', async () => {
    await ada.write(ben, 'to one device');
    const second = await TestClient.link(ben);
    await ada.enqueue(ben, 'to two');
    expect(await ada.flush()).toBe(1);
    await ben.fetch();
    await second.fetch();
    expect(await ben.texts(ada)).toEqual(['to one device', 'to two']);
    expect(await second.texts(ada)).toEqual(['to two']);
  });

  it('that was taken off the list gets nothing more, and is not believed', async () => {
    const second = await TestClient.link(ben);
    await ada.write(ben, 'to both');
    await second.fetch();
    const { list } = await ben.vault.changeOwnList({ remove: second.address.deviceId });
    relay.lists.set(ben.userId, list);
    await ben.fetchLists([ben.userId]);
    await ada.write(ben, 'to one');
    expect(relay.queue(second.address)).toHaveLength(0);
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['to both', 'to one']);

    await second.enqueue(ada, 'I am still here');
    await second.fetchLists([ada.userId]);
    await second.vault.startSessions(relay.takeBundles([ada.address, ben.address]));
    const sealed = await second.sealOldest(ada.userId);
    if (sealed === null || !('params' in sealed)) throw new Error('not sealed');
    // The server would refuse it; one that does not is not believed either.
    const { deviceId, ...key } = sealed.params.recipients[0]!.keys[0]!;
    expect(deviceId).toBe(ada.address.deviceId);
    const { messageId, params } = sealed;
    relay
      .queue(ada.address)
      .push({ queueId: 999, messageId, sender: second.address, position: 2e15, payload: params.payload, key });
    await ada.fetch();
    expect(await ada.texts(ben)).toEqual(['to both', 'to one', '(unreadable)']);
  });

  it('learns what was read on the other', async () => {
    const second = await TestClient.link(ada);
    await ben.write(ada, 'hello');
    await ada.fetch();
    await second.fetch();
    expect((await second.vault.conversations())[0]?.unread).toBe(1);
    await ada.vault.markRead(ben.userId);
    await ada.sendReceipts();
    await second.fetch();
    expect((await second.vault.conversations())[0]?.unread).toBe(0);
    await ben.fetch();
    expect(await ben.states(ada)).toEqual(['read']);
  });

  it('that was away learns it together with the message', async () => {
    const second = await TestClient.link(ada);
    await ben.write(ada, 'hello');
    await ada.fetch();
    await ada.vault.markRead(ben.userId);
    await ada.sendReceipts();
    expect(relay.queue(second.address)).toHaveLength(2);
    await second.fetch();
    expect((await second.vault.conversations())[0]).toMatchObject({ unread: 0, last: { body: { text: 'hello' } } });
  });

  it('cannot put devices on the list, and is told so', async () => {
    const second = await TestClient.link(ada);
    expect((await ada.vault.ownDevices()).canSign).toBe(true);
    expect((await second.vault.ownDevices()).canSign).toBe(false);
    await expect(second.vault.changeOwnList({ remove: ada.address.deviceId })).rejects.toThrow('cannot sign');
  });
});

describe('linking', () => {
  it('shows the same code on both devices, and another for other keys', async () => {
    const { link, listed } = await TestClient.asking(ada);
    expect(await ada.vault.linkCode(listed)).toBe(link.code);
    const other = { ...listed, identityKey: relay.takeBundles([ben.address])[0]!.identityKey };
    expect(await ada.vault.linkCode(other)).not.toBe(link.code);
  });

  it('survives a restart with the same keys, and is not complete before the list says so', async () => {
    const { client, link } = await TestClient.asking(ada);
    await client.restart();
    expect(await client.vault.standing()).toMatchObject({ kind: 'linking', awaits: 'approval' });
    expect((await client.askToBeLinked()).link.device).toEqual(link.device);
    expect(await client.vault.completeLink(relay.lists.get(ada.userId)!)).toEqual({ kind: 'waiting' });
    await client.vault.abandonLink();
    await client.restart();
    expect(await client.vault.standing()).toEqual({ kind: 'empty' });
  });

  it('survives a restart before and after what is handed over has come', async () => {
    await ada.write(ben, 'hello');
    const client = await TestClient.approved(ada);
    await client.restart();
    expect(await client.vault.completeHandOver()).toMatchObject({ kind: 'linking', awaits: 'hand-over' });
    await ada.restart();
    await ada.flush();
    await client.fetch();
    await client.restart();
    expect(await client.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
    await client.write(ben, 'from the second');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', 'from the second']);
  });

  it('gets its hand-over though the first one was given up, and the window closed then', async () => {
    await ada.write(ben, 'hello');
    const client = await TestClient.approved(ada);
    await ada.vault.startSessions(relay.takeBundles([client.address]));
    const { sealed } = await ada.vault.sealWaiting({ conversation: ada.userId, underWay: [], again: [], limit: 9 });
    expect(sealed).toHaveLength(1);
    await ada.vault.sendFailed(sealed[0]!.messageId);
    expect(await ada.vault.outbox()).toEqual([]);
    await ada.restart();
    // The own list comes again from the server, as after every start.
    await ada.fetchLists([ada.userId]);
    await ada.flush();
    await client.fetch();
    expect(await client.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
    await client.write(ben, 'from the second');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', 'from the second']);
  });

  it('in place of a device that is gone keeps the history and what waits', async () => {
    const second = await TestClient.link(ada);
    await second.write(ben, 'kept');
    await ben.fetch();
    await second.enqueue(ben, 'waits');
    expect(await second.sealOldest(ben.userId)).toHaveProperty('params');
    const { list: without } = await ada.vault.changeOwnList({ remove: second.address.deviceId });
    relay.lists.set(ada.userId, without);
    await ada.fetchLists([ada.userId]);
    const { link, listed } = await second.askToBeLinked(true);
    const code = await ada.vault.linkCode(listed);
    const { list } = await ada.vault.changeOwnList({ add: listed, code });
    relay.publish(link.device, list);
    expect(await second.vault.completeLink(list)).toMatchObject({ kind: 'linked' });
    await ada.fetchLists([ada.userId]);
    await ada.flush();
    await second.fetch();
    expect(await second.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
    // It was sealed as the device that is gone, so it is sealed anew before it is offered.
    expect(await second.flush()).toBe(0);
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['kept', 'waits']);
    expect(await second.texts(ben)).toEqual(['kept', 'waits']);
  });
});
