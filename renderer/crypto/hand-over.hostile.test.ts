import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Envelope } from '../../protocol/chat.ts';
import { PINS_PER_PART } from '../../protocol/hand-over.ts';
import { UserId } from '../../protocol/ids.ts';
import { Sealer } from './sealer.ts';
import { Relay } from './testing/relay.ts';
import { sendContent } from './testing/send-content.ts';
import { TestClient } from './testing/test-client.ts';

/* A hand-over too large for one message, and a server that delivers of it what it likes. */

const PARTS = 3;

let relay: Relay;
let ada: TestClient;
let client: TestClient;
/** Those of whom the approving device knows something. */
let people: { readonly userId: UserId; readonly username: string; readonly displayName: string }[];
let first: Envelope[];
/** The parts of another one, which the same device has made for the same. */
let second: Envelope[];

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  people = Array.from({ length: (PARTS - 1) * PINS_PER_PART + 1 }, (_, i) => ({
    userId: UserId.parse(crypto.randomUUID()),
    username: `person${i}`,
    displayName: `Person ${i}`,
  }));
  await ada.vault.learnPeople(people.map((person) => ({ ...person, role: 'member' })));
  const asking = await TestClient.asking(ada);
  client = asking.client;
  first = await handOver(asking);
  second = await handOver(asking);
}, 60_000);

/** Approves the device (again), and takes from the server's queue what is handed over to it. */
async function handOver({ link, listed }: Awaited<ReturnType<typeof TestClient.asking>>): Promise<Envelope[]> {
  const { list } = await ada.vault.changeOwnList({ add: listed, code: await ada.vault.linkCode(listed) });
  relay.publish(link.device, list);
  await ada.fetchLists([ada.userId]);
  await client.vault.completeLink(list);
  await client.fetchLists([ada.userId]);
  await ada.flush();
  const parts = relay.queue(client.address).splice(0);
  expect(parts).toHaveLength(PARTS);
  return parts;
}

async function standing() {
  return client.vault.completeHandOver();
}

/** How many people the new device knows by what was handed over: a name of the server's is a change then. */
async function known(): Promise<number> {
  const shown = people.map((person) => ({ ...person, displayName: 'The Boss', role: 'member' as const }));
  return (await client.vault.learnPeople(shown)).filter(({ formerName }) => formerName !== null).length;
}

describe('a hand-over in several parts', () => {
  it.each([
    ['in order', [0, 1, 2]],
    ['the last one first', [2, 0, 1]],
    ['backwards', [2, 1, 0]],
  ])('lets the device in once all have come, and not before: %s', async (_, order) => {
    for (const [i, part] of order.entries()) {
      expect(await standing(), `after ${i} parts`).toMatchObject({ kind: 'linking', awaits: 'hand-over' });
      await client.receive([first[part]!]);
      // Repeating one that has come does not stand for the others.
      await client.receive([first[part]!]);
      if (i === 1) await client.restart();
    }
    expect(await standing()).toMatchObject({ kind: 'ready' });
    expect(await known()).toBe(people.length);
  });

  it('is not completed by the parts of another one', async () => {
    await client.receive([first[0]!]);
    await client.receive([second[1]!]);
    await client.receive([first[2]!]);
    expect(await standing()).toMatchObject({ kind: 'linking', awaits: 'hand-over' });
    await client.receive([second[0]!, second[2]!]);
    expect(await standing()).toMatchObject({ kind: 'ready' });
    expect(await known()).toBe(people.length);
  });

  it('that names one person again and again looks up what is known of them once', async () => {
    await client.receive(first);
    const { deviceId } = client.address;
    const { identityKey } = (await ada.vault.ownDevices()).devices.find((device) => device.deviceId === deviceId)!;
    const { displayName, userId, username } = people[0]!;
    const pin = { userId, accountKey: null, listVersion: 0, name: { version: 0, username, displayName } };
    const content = {
      kind: 'hand-over',
      deviceId,
      identityKey,
      handOverId: crypto.randomUUID(),
      part: 0,
      parts: 1,
      pins: Array.from({ length: PINS_PER_PART }, () => pin),
    };
    await sendContent(ada, ada.userId, [{ version: 1, conversation: ada.userId, sentAt: ada.time, content }]);
    const open = vi.spyOn(Sealer.prototype, 'open');
    await client.fetch();
    const looked = open.mock.calls.filter(([table]) => table === 'pins').length;
    open.mockRestore();
    expect(looked).toBe(1);
  });
});
