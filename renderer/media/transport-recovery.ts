/** `disconnected` often heals by itself within a moment (W3C WebRTC, section 4.4.3). Milliseconds. */
const PATIENCE_MS = 2_500;
/** An ICE restart that has not connected after this time did not help. Milliseconds. */
const RESTART_MS = 8_000;

export interface KeepAliveOptions {
  /** Subscribes to the transport's connection state; returns the undo. */
  readonly onState: (listener: (state: RTCPeerConnectionState) => void) => () => void;
  readonly restartIce: () => Promise<void>;
  /** Called each time the transport is connected. */
  readonly onFlowing: () => void;
  /** Called at most once. */
  readonly onLost: () => void;
}

/**
 * Keeps a transport connected across changes of network: an ICE restart (RFC 8445 section 2.4) as soon as it failed, or
 * stays disconnected, and `onLost` if that does not bring it back. Returns the undo.
 */
export function keepAlive({ onState, restartIce, onFlowing, onLost }: KeepAliveOptions): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restarting = false;
  let over = false;

  const stop = () => {
    over = true;
    clearTimeout(timer);
    unsubscribe();
  };
  const lost = () => {
    stop();
    onLost();
  };
  const restart = () => {
    if (restarting || over) return;
    restarting = true;
    clearTimeout(timer);
    timer = setTimeout(lost, RESTART_MS);
    // A request that fails means that the line to the server is down too; joining anew will follow from that.
    restartIce().catch(() => {});
  };
  const unsubscribe = onState((state) => {
    if (over) return;
    if (state === 'connected') {
      restarting = false;
      clearTimeout(timer);
      onFlowing();
    } else if (state === 'failed') {
      restart();
    } else if (state === 'disconnected' && !restarting) {
      clearTimeout(timer);
      timer = setTimeout(restart, PATIENCE_MS);
    } else if (state === 'closed') {
      stop();
    }
  });
  return stop;
}
