import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import type { Account } from '../../../protocol/accounts.ts';
import type { Envelope } from '../../../protocol/chat.ts';
import type { DeviceAddress, MessageId, UserId } from '../../../protocol/ids.ts';
import type { Message } from '../../modules/chat/model.ts';
import { createVault } from '../create-vault.ts';
import { newMessageId } from '../queued-message.ts';
import type { ReceiveOutcome, SealedItem, Unsealable, Vault } from '../vault.ts';
import type { Relay } from './relay.ts';

const TOKEN = 'A'.repeat(43);

/** The server that the vaults of these tests belong to. */
export const HOME = { origin: 'https://tea.example.org', first: null } as const;

/** A device with a real vault, driven by hand as the controllers drive it. */
export class TestClient {
  readonly relay: Relay;
  /** What is on its disk: outlives its vault. */
  readonly disk: IDBFactory;
  vault: Vault;
  account!: Account;
  address!: DeviceAddress;
  /** Milliseconds since the Unix epoch. */
  time = 1_790_000_000_000;

  constructor(relay: Relay, disk = new IDBFactory()) {
    this.relay = relay;
    this.disk = disk;
    this.vault = this.#newVault();
  }

  static async signUp(relay: Relay, username: string): Promise<TestClient> {
    const client = new TestClient(relay);
    await client.vault.open(null, HOME);
    const input = { invitation: TOKEN, username, displayName: username, deviceName: 'Test device' };
    const prepared = await client.vault.prepareSignUp(input);
    relay.publish(prepared.device, prepared.deviceList);
    client.account = { userId: prepared.userId, username, displayName: username, role: 'member' };
    client.address = { userId: prepared.userId, deviceId: prepared.device.deviceId };
    await client.vault.signedIn({ account: client.account, session: TOKEN });
    return client;
  }

  /** A further device of `owner`'s account, approved by it, with everything that it hands over. */
  static async link(owner: TestClient): Promise<TestClient> {
    const client = await TestClient.approved(owner);
    await owner.flush();
    await client.fetch();
    const standing = await client.vault.completeHandOver();
    if (standing.kind !== 'ready') throw new Error('nothing was handed over');
    return client;
  }

  /** A further device that waits to be linked. */
  static async asking(owner: TestClient) {
    const client = new TestClient(owner.relay);
    await client.vault.open(null, HOME);
    client.account = owner.account;
    const { link, listed } = await client.askToBeLinked();
    return { client, link, listed };
  }

  /** A further device that is on the list, and has received nothing yet. */
  static async approved(owner: TestClient): Promise<TestClient> {
    const { client, link, listed } = await TestClient.asking(owner);
    const { list } = await owner.vault.changeOwnList({ add: listed, code: await owner.vault.linkCode(listed) });
    owner.relay.publish(link.device, list);
    await owner.fetchLists([owner.userId]);
    if ((await client.vault.completeLink(list)).kind !== 'linked') throw new Error('the device was not linked');
    return client;
  }

  async askToBeLinked(replaceDevice = false, list = this.relay.lists.get(this.userId)!) {
    await this.vault.beginLink({ account: this.account, session: TOKEN, replaceDevice });
    const link = await this.vault.prepareLink({ deviceName: 'Second', list });
    if (link === null) throw new Error('the list was refused');
    const { deviceId, identityKey, authenticationKey, name } = link.device;
    this.address = { userId: this.userId, deviceId };
    return { link, listed: { deviceId, identityKey, authenticationKey, name, addedAt: this.time } };
  }

  get userId(): UserId {
    return this.account.userId;
  }

  /** The window is gone and comes back: everything that was only in memory is lost. */
  async restart(): Promise<void> {
    await this.vault.close();
    this.vault = this.#newVault();
    await this.vault.open(null, HOME);
  }

  async fetchLists(users: readonly UserId[]): Promise<void> {
    const lists = users.flatMap((userId) => this.relay.lists.get(userId) ?? []);
    await this.vault.updateLists({ lists, asked: users });
  }

  async write(to: TestClient, text: string): Promise<void> {
    await this.enqueue(to, text);
    await this.flush();
  }

  async enqueue(to: TestClient, text: string): Promise<void> {
    const sentAt = Date.now();
    await this.vault.enqueueText({ conversation: to.userId, messageId: newMessageId(sentAt), text, sentAt });
  }

  /** Sends everything that waits. Returns how often something was refused as stale. */
  async flush(): Promise<number> {
    let refusals = 0;
    for (const conversation of await this.vault.outbox()) refusals += await this.#flushOne(conversation);
    return refusals;
  }

  /** Takes in all that waits on the relay, and acknowledges it. */
  async fetch(): Promise<ReceiveOutcome> {
    const queue = this.relay.queue(this.address);
    const outcome = await this.receive([...queue]);
    const done = new Set(outcome.acknowledge);
    const left = queue.filter((envelope) => !done.has(envelope.queueId));
    queue.splice(0, queue.length, ...left);
    return outcome;
  }

  async receive(envelopes: readonly Envelope[], listsChecked: readonly UserId[] = []): Promise<ReceiveOutcome> {
    const first = await this.vault.receive({ envelopes, listsChecked });
    const rest = envelopes.filter(({ queueId }) => !first.acknowledge.includes(queueId));
    if (rest.length === 0 || (first.acknowledge.length === 0 && first.needLists === null)) return first;
    if (first.needLists !== null) await this.fetchLists(first.needLists);
    const others = await this.receive(rest, first.needLists ?? []);
    return {
      ...others,
      acknowledge: [...first.acknowledge, ...others.acknowledge],
      arrived: [...first.arrived, ...others.arrived],
      refused: [...first.refused, ...others.refused],
      costly: [...first.costly, ...others.costly],
      held: [...first.held, ...others.held],
      dropped: first.dropped + others.dropped,
    };
  }

  /** Receipts that are due go out. */
  async sendReceipts(): Promise<void> {
    while (await this.vault.collectReceipts());
    await this.flush();
  }

  async messages(other: TestClient): Promise<readonly Message[]> {
    return (await this.vault.messages({ conversation: other.userId, before: null, limit: 1000 })).messages;
  }

  async texts(other: TestClient): Promise<readonly string[]> {
    return (await this.messages(other)).map(({ body }) => (body.kind === 'text' ? body.text : `(${body.kind})`));
  }

  async states(other: TestClient): Promise<readonly (string | null)[]> {
    return (await this.messages(other)).map(({ state }) => state);
  }

  /** Seals what is oldest in a conversation's outbox. What it lacks, if it cannot be sealed; null if nothing waits. */
  async sealOldest(conversation: UserId, again: readonly MessageId[] = []): Promise<SealedItem | Unsealable | null> {
    const { sealed, next } = await this.vault.sealWaiting({ conversation, underWay: [], again, limit: 1 });
    return sealed[0] ?? next;
  }

  async #flushOne(conversation: UserId): Promise<number> {
    let refusals = 0;
    let again: MessageId[] = [];
    for (let step = 0; step < 1000; step += 1) {
      const outcome = await this.sealOldest(conversation, again);
      if (outcome === null) return refusals;
      if ('params' in outcome) {
        const position = this.relay.send(this.address, outcome.params);
        again = position === 'stale' ? [outcome.messageId] : [];
        if (position === 'stale') {
          refusals += 1;
          await this.fetchLists([conversation, this.userId]);
        } else {
          await this.vault.sent({ messageId: outcome.messageId, position });
        }
      } else if (outcome.kind === 'refused') await this.vault.sendFailed(outcome.messageId);
      else if (outcome.kind === 'need-lists') await this.fetchLists(outcome.users);
      else if (outcome.kind === 'need-bundles') await this.vault.startSessions(this.relay.takeBundles(outcome.devices));
    }
    throw new Error('the outbox never empties');
  }

  #newVault(): Vault {
    return createVault({ indexedDB: this.disk, IDBKeyRange, now: () => this.time });
  }
}
