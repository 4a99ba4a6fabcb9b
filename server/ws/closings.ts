import type { Log } from '../log.ts';
import type { ConnectionEvents } from './event-sink.ts';

/** Tells whoever asked that a connection has ended. */
export class Closings implements ConnectionEvents {
  readonly #listeners = new Set<(closed: { readonly connectionId: string }) => void>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  onClosed(listener: (closed: { readonly connectionId: string }) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A listener that throws keeps no other from hearing it. */
  tell(connectionId: string): void {
    for (const listener of this.#listeners) {
      try {
        listener({ connectionId });
      } catch (error) {
        this.#log.error({ err: error, connectionId }, 'a listener for closed connections failed');
      }
    }
  }
}
