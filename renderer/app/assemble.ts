import type { VaultClient } from '../crypto/vault-client.ts';
import type { Host } from '../host/host.ts';
import { createAccounts } from '../modules/accounts/index.ts';
import { createChat } from '../modules/chat/index.ts';
import { createContacts } from '../modules/contacts/index.ts';
import { createDevices } from '../modules/devices/index.ts';
import type { Connection } from '../net/connection.ts';
import type { Ownership } from './ownership.ts';
import { StorageWatch } from './storage-watch.svelte.ts';

/** What differs between a window and a test. */
export interface Parts {
  readonly host: Host;
  readonly connection: Connection;
  readonly keys: VaultClient;
  readonly createOwnership: (onLost: () => Promise<void>) => Ownership;
  /** Whether the person looks at this window now. */
  readonly isLooking: () => boolean;
  /** Told of faults that nobody waits for; never gets content. */
  readonly report: (error: unknown) => void;
  /** Whether anything was ever stored on this device. */
  readonly hasStorage: () => Promise<boolean>;
  /** After signing in, before anything is shown. */
  readonly onReady: () => void;
}

/** Wires the controllers that need no media to each other. `accounts.begin` sets them going. */
export function assemble({ host, connection, keys, createOwnership, isLooking, report, hasStorage, onReady }: Parts) {
  const { vault } = keys;
  const ownership = createOwnership(async () => {
    accounts.lost();
    connection.pause();
    await keys.stop();
  });
  const contacts = createContacts({ connection, vault, report });
  const devices = createDevices({ connection, vault, report, sendWaiting: () => chat.sendWaiting() });
  const chat = createChat({ connection, vault, contacts, host, isLooking, report });
  const storage = new StorageWatch(vault, () => void chat.goOn().catch(report));
  const accounts = createAccounts({
    host,
    connection,
    vault,
    startVault() {
      keys.start();
      void storage.watch().catch(report);
    },
    hasStorage,
    ownership,
    async enter({ account, deviceId }) {
      await Promise.all([
        contacts.load(),
        devices.load({ userId: account.userId, deviceId }),
        chat.load(account.userId),
      ]);
      onReady();
    },
    leave() {
      for (const module of [chat, devices, contacts]) module.clear();
    },
  });
  return { accounts, devices, contacts, chat, storage };
}
