import { createVaultClient } from '../crypto/vault-client.ts';
import type { Host } from '../host/host.ts';
import { createAccounts } from '../modules/accounts/index.ts';
import { createCalls } from '../modules/calls/index.ts';
import { createChat } from '../modules/chat/index.ts';
import { createContacts } from '../modules/contacts/index.ts';
import { createDevices } from '../modules/devices/index.ts';
import { browserSignals } from '../net/network-signals.ts';
import { isLostAnswer } from '../net/retrying.ts';
import { createConnection } from '../net/socket-connection.ts';
import type { AppContext } from './context.ts';
import { Line } from './line.svelte.ts';
import { createOwnership } from './ownership.ts';

/**
 * Builds everything behind the interface and sets it going: the first stage is `starting`, the next comes by itself.
 * Call once, in a window.
 */
export function compose(host: Host): AppContext {
  const keys = createVaultClient(spawnVault);
  const { vault } = keys;
  const connection = createConnection({
    origin: () => host.serverOrigin(),
    client: host.clientName,
    network: browserSignals(),
    report,
  });
  const ownership = createOwnership(async () => {
    accounts.lost();
    connection.pause();
    await keys.stop();
  });

  const contacts = createContacts({ connection, vault });
  const devices = createDevices({ connection, vault });
  const chat = createChat({ connection, vault, contacts, host, report });
  const calls = createCalls({ connection, contacts, chat, host });
  const accounts = createAccounts({
    host,
    connection,
    vault,
    startVault: () => keys.start(),
    ownership,
    async enter({ account, deviceId }) {
      await Promise.all([contacts.load(), devices.load({ userId: account.userId, deviceId }), chat.load()]);
      // Without it, a browser short of space may throw the only copy of the keys away.
      void navigator.storage?.persist?.().catch(report);
    },
    leave() {
      for (const module of [chat, devices, contacts]) module.clear();
    },
  });

  void accounts.begin().catch(report);
  return { host, line: new Line(connection), accounts, devices, contacts, chat, calls };
}

function spawnVault(): Worker {
  return new Worker(new URL('../crypto/worker.ts', import.meta.url), { type: 'module', name: 'vault' });
}

/** To the browser's console, where a developer looks. A lost line is no fault, and is shown elsewhere. */
function report(error: unknown): void {
  if (!isLostAnswer(error)) reportError(error);
}
