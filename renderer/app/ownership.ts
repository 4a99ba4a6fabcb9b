/** Keys and history belong to one window at a time; this decides which. */
export interface Ownership {
  /** True if this window is the owner now. */
  acquire(): Promise<boolean>;
  /** Becomes the owner: asks the other window to let go, and takes the lock from it if it does not. */
  takeOver(): Promise<void>;
}

/** How long another window gets to finish what it writes, in milliseconds. */
const LET_GO_MS = 3000;
const LOCK = 'teahouse';

/** `onLost` stops everything that uses the keys; the lock is given up once it has settled. */
export function createOwnership(onLost: () => Promise<void>): Ownership {
  const channel = new BroadcastChannel(LOCK);
  let letGo: (() => void) | null = null;

  /** Waits for the lock as `options` say; true once it is held, which it then is until `letGo`. */
  const hold = (options: LockOptions) =>
    new Promise<boolean>((resolve) => {
      const held = navigator.locks.request(LOCK, options, (lock) => {
        if (lock === null) {
          resolve(false);
          return undefined;
        }
        resolve(true);
        return new Promise<void>((release) => (letGo = release));
      });
      held.catch(() => {
        // Either it was not to be had in time, or another window took it by force: then stop at once.
        if (letGo !== null) void onLost();
        letGo = null;
        resolve(false);
      });
    });

  channel.addEventListener('message', () => {
    const release = letGo;
    if (release === null) return;
    letGo = null;
    void onLost().finally(release);
  });

  return {
    acquire: async () => letGo !== null || hold({ ifAvailable: true }),
    async takeOver() {
      if (letGo !== null) return;
      channel.postMessage('let go');
      if (await hold({ signal: AbortSignal.timeout(LET_GO_MS) })) return;
      await hold({ steal: true });
    },
  };
}
