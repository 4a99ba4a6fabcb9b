import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { assemble } from '../app/assemble.ts';
import { createVault } from '../crypto/create-vault.ts';
import type { Vault } from '../crypto/vault.ts';
import type { VaultClient } from '../crypto/vault-client.ts';
import { hasRegistry } from '../db/registry-name.ts';
import type { Host } from '../host/host.ts';
import type { MediaDevicesPort } from '../media/capture.ts';
import { LocalMedia } from '../media/local-media.svelte.ts';
import { FakeDevices } from '../media/testing/fake-devices.ts';
import { FakeEngine } from '../media/testing/fake-engine.ts';
import { Calls } from '../modules/calls/calls.svelte.ts';
import type { Message } from '../modules/chat/model.ts';
import type { NetworkSignals } from '../net/network-signals.ts';
import { isLostAnswer } from '../net/retrying.ts';
import { createConnection } from '../net/socket-connection.ts';
import type { Timings } from '../net/timings.ts';

export const PASSWORD = 'correct horse battery staple';

/** A client without a window: the real controllers, connection and vault, in this process. Its media alone are not real. */
export class HeadlessClient {
  readonly disk: IDBFactory;
  readonly faults: unknown[] = [];
  readonly notifications: string[] = [];
  readonly connection;
  readonly accounts;
  readonly chat;
  readonly contacts;
  readonly devices;
  readonly calls;
  readonly #network = new SwitchedNetwork();

  /** `vaultStarts`: until then the vault answers nothing, as a worker that is still being loaded. */
  constructor(
    origin: string,
    disk = new IDBFactory(),
    vaultStarts: Promise<void> = Promise.resolve(),
    timings: Partial<Timings> = {},
  ) {
    this.disk = disk;
    const host = this.#host(origin);
    const report = (error: unknown) => {
      if (!isLostAnswer(error)) this.faults.push(error);
    };
    this.connection = createConnection({
      origin: () => host.serverOrigin(),
      client: host.clientName,
      network: this.#network,
      report,
      timings,
    });
    const parts = assemble({
      host,
      connection: this.connection,
      keys: localVault(disk, vaultStarts),
      createOwnership: () => ({ acquire: () => Promise.resolve(true), takeOver: () => Promise.resolve() }),
      isLooking: () => false,
      report,
      hasStorage: () => hasRegistry(disk),
      onReady: () => undefined,
    });
    this.accounts = parts.accounts;
    this.chat = parts.chat;
    this.contacts = parts.contacts;
    this.devices = parts.devices;
    const tone = () => () => undefined;
    this.calls = new Calls({
      connection: this.connection,
      contacts: parts.contacts,
      chat: parts.chat,
      host,
      engine: new FakeEngine(),
      local: new LocalMedia({ devices: new FakeDevices() as unknown as MediaDevicesPort, storage: null }),
      tones: { ring: tone, ringBack: tone },
    });
  }

  static async join(
    origin: string,
    invitation: string,
    username: string,
    timings: Partial<Timings> = {},
  ): Promise<HeadlessClient> {
    const client = new HeadlessClient(origin, undefined, undefined, timings);
    await client.accounts.begin();
    await client.accounts.signUp({ invitation, username, displayName: username.toUpperCase(), password: PASSWORD });
    await client.online();
    return client;
  }

  /** The window is closed and opened again: only the disk is left. */
  async reopen(origin: string): Promise<HeadlessClient> {
    this.connection.close();
    const client = new HeadlessClient(origin, this.disk);
    await client.accounts.begin();
    return client;
  }

  get userId() {
    const { stage } = this.accounts;
    if (stage.kind !== 'ready') throw new Error(`the stage is ${stage.kind}`);
    return stage.account.userId;
  }

  set network(there: boolean) {
    this.#network.set(there);
  }

  online(): Promise<void> {
    return until(() => this.connection.state.kind === 'online', 'online');
  }

  texts(): string[] {
    return this.chat.messages.map(({ body }: Message) => (body.kind === 'text' ? body.text : `(${body.kind})`));
  }

  states(): (string | null)[] {
    return this.chat.messages.map(({ state }: Message) => state);
  }

  close(): void {
    this.connection.close();
  }

  #host(origin: string): Host {
    return {
      kind: 'browser',
      clientName: 'Teahouse test',
      deviceName: 'Test device',
      serverOrigin: () => Promise.resolve(origin),
      firstServerOrigin: () => Promise.resolve(null),
      setServerOrigin: () => Promise.resolve(),
      secrets: null,
      notify: ({ body }) => void this.notifications.push(body),
      setBadge: () => undefined,
      onDeepLink: () => () => undefined,
    };
  }
}

/** The vault without its worker. */
function localVault(disk: IDBFactory, starts: Promise<void>): VaultClient {
  const vault = createVault({ indexedDB: disk, IDBKeyRange, now: () => Date.now() });
  const started = new Proxy(vault, {
    get:
      (_target, name: keyof Vault) =>
      async (...args: unknown[]) => {
        await starts;
        return (vault[name] as (...parameters: unknown[]) => Promise<unknown>)(...args);
      },
  });
  return { vault: started, start: () => undefined, stop: () => vault.close() };
}

class SwitchedNetwork implements NetworkSignals {
  #there = true;
  readonly #listeners = new Set<(change: 'gone' | 'back') => void>();
  readonly online = () => this.#there;

  readonly onChange = (listener: (change: 'gone' | 'back') => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  set(there: boolean): void {
    this.#there = there;
    for (const listener of this.#listeners) listener(there ? 'back' : 'gone');
  }
}

/** Waits until it is so; rejects after 15 s, saying what was waited for. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
