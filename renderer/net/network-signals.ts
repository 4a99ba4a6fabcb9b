/**
 * `gone`: the network went. `back`: it came, or is another one. `look`: somebody looks at the page again, or the machine
 * woke up, so that timers cannot be relied on.
 */
export type NetworkChange = 'gone' | 'back' | 'look';

/** What the machine knows about its network; a hint, never the truth. */
export interface NetworkSignals {
  /** False only if the machine is sure that it has no network. */
  readonly online: () => boolean;
  /** Returns the undo. */
  readonly onChange: (listener: (change: NetworkChange) => void) => () => void;
}

/** Chromium's Network Information API, where there is one; TypeScript's DOM library does not know it. */
function networkInformation(): EventTarget | null {
  return (navigator as { readonly connection?: EventTarget }).connection ?? null;
}

/** The browser's own: its network came, went or changed; the page is looked at again, or goes on after being frozen. */
export function browserSignals(): NetworkSignals {
  return {
    online: () => navigator.onLine,
    onChange(listener) {
      const gone = () => listener('gone');
      const back = () => listener('back');
      const look = () => {
        if (document.visibilityState === 'visible') listener('look');
      };
      // The browser estimates the line's quality anew every now and then: reason to look, not to begin anew.
      const changed = () => listener('look');
      const pairs: readonly [EventTarget | null, string, () => void][] = [
        [window, 'offline', gone],
        [window, 'online', back],
        [window, 'pageshow', look],
        [document, 'visibilitychange', look],
        [document, 'resume', look],
        [networkInformation(), 'change', changed],
      ];
      for (const [target, event, act] of pairs) target?.addEventListener(event, act);
      return () => {
        for (const [target, event, act] of pairs) target?.removeEventListener(event, act);
      };
    },
  };
}
