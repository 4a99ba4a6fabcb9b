import { isStorageFailed } from '../crypto/storage-failed.ts';
import { createVaultClient } from '../crypto/vault-client.ts';
import { hasRegistry } from '../db/registry-name.ts';
import type { Host } from '../host/host.ts';
import { createCalls } from '../modules/calls/index.ts';
import { browserSignals } from '../net/network-signals.ts';
import { isLostAnswer } from '../net/retrying.ts';
import { createConnection } from '../net/socket-connection.ts';
import { assemble } from './assemble.ts';
import type { AppContext } from './context.ts';
import { Line } from './line.svelte.ts';
import { createOwnership } from './ownership.ts';

/**
 * Builds everything behind the interface and sets it going: the first stage is `starting`, the next comes by itself.
 * Call once, in a window.
 */
export function compose(host: Host): AppContext {
  const connection = createConnection({
    origin: () => host.serverOrigin(),
    client: host.clientName,
    network: browserSignals(),
    report,
  });
  const keys = createVaultClient(spawnVault);
  const { accounts, devices, contacts, chat, storage } = assemble({
    host,
    connection,
    keys,
    createOwnership,
    isLooking: () => document.visibilityState === 'visible' && document.hasFocus(),
    report,
    hasStorage: () => hasRegistry(indexedDB),
    onReady() {
      keepStorage();
      // A full disk reads well: it is said at once, and not with the first message.
      void keys.vault.checkStorage().catch(report);
    },
  });
  const calls = createCalls({ connection, contacts, chat, host });
  void accounts.begin().catch(report);
  return { host, line: new Line(connection), storage, accounts, devices, contacts, chat, calls };
}

function spawnVault(): Worker {
  const worker = new Worker(new URL('../crypto/worker.ts', import.meta.url), { type: 'module', name: 'vault' });
  worker.addEventListener('error', ({ error }) => report(error ?? new Error('the vault could not be started')));
  return worker;
}

/** Without it, a browser short of space may throw the only copy of the keys away. */
function keepStorage(): void {
  void navigator.storage?.persist?.().catch(report);
}

/** To the browser's console, where a developer looks. A lost line or a full disk is no fault, and is shown elsewhere. */
function report(error: unknown): void {
  if (!isLostAnswer(error) && !isStorageFailed(error)) reportError(error);
}
