import { proxy, releaseProxy, wrap } from 'comlink';
import type { Remote } from 'comlink';
import type { SecretStore } from '../host/host.ts';
import type { Vault } from './vault.ts';

/** The vault as the window sees it: calls go to the worker that runs now. */
export interface VaultClient {
  readonly vault: Vault;
  /** Starts a worker (ending an earlier one). */
  start(): void;
  /** Lets the worker finish what it is doing, at most two seconds, and ends it. */
  stop(): Promise<void>;
}

const STOP_MS = 2000;

/** `spawn` makes the worker; injected, so that the worker's chunk is named in one place. */
export function createVaultClient(spawn: () => Worker): VaultClient {
  let running: { readonly worker: Worker; readonly remote: Remote<Vault> } | null = null;

  const end = () => {
    running?.remote[releaseProxy]();
    running?.worker.terminate();
    running = null;
  };

  const call = (name: keyof Vault, args: readonly unknown[]): Promise<unknown> => {
    if (running === null) return Promise.reject(new Error('the vault is not running in this window'));
    const method = running.remote[name] as unknown as (...parameters: readonly unknown[]) => Promise<unknown>;
    // Functions cannot be copied to a worker: the shell's secret store is called back across the boundary.
    const crossing = name === 'open' && args[0] !== null ? [proxy(args[0] as SecretStore), ...args.slice(1)] : args;
    return method(...crossing);
  };

  return {
    vault: new Proxy({} as Vault, {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          call(name as keyof Vault, args),
    }),
    start() {
      end();
      const worker = spawn();
      running = { worker, remote: wrap<Vault>(worker) };
    },
    async stop() {
      if (running === null) return;
      await Promise.race([call('close', []).catch(() => undefined), new Promise((done) => setTimeout(done, STOP_MS))]);
      end();
    },
  };
}
