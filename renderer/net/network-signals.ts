/** What the machine knows about its network; a hint, never the truth. */
export interface NetworkSignals {
  /** False only if the machine is sure that it has no network. */
  readonly online: () => boolean;
  /** `gone`: the network went. `back`: it came (or may have come) back. Returns the undo. */
  readonly onChange: (listener: (change: 'gone' | 'back') => void) => () => void;
}

/** The browser's own: `online` and `offline` events, and the page being looked at again (after sleep, timers lie). */
export function browserSignals(): NetworkSignals {
  return {
    online: () => navigator.onLine,
    onChange(listener) {
      const gone = () => listener('gone');
      const back = () => listener('back');
      const shown = () => {
        if (document.visibilityState === 'visible') listener('back');
      };
      window.addEventListener('offline', gone);
      window.addEventListener('online', back);
      document.addEventListener('visibilitychange', shown);
      return () => {
        window.removeEventListener('offline', gone);
        window.removeEventListener('online', back);
        document.removeEventListener('visibilitychange', shown);
      };
    },
  };
}

/** Where there is nothing to listen to, as in tests under Node: always online. */
export function steadySignals(): NetworkSignals {
  return { online: () => true, onChange: () => () => undefined };
}
