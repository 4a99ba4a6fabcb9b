import type { Connection, ConnectionState } from '../net/connection.ts';
import { ShownState } from '../net/shown-state.ts';

/** The connection's state, made reactive. */
export class Line {
  state: ConnectionState = $state.raw({ kind: 'connecting' });
  /** What is worth telling: without short interruptions. `online` until something has been wrong for a while. */
  shown: ConnectionState = $state.raw({ kind: 'online' });
  /** Whether there was a connection since the app was opened. */
  wasOnline = $state.raw(false);

  constructor(connection: Connection) {
    const shown = new ShownState((state) => (this.shown = state));
    connection.onState((state) => {
      this.state = state;
      if (state.kind === 'online') this.wasOnline = true;
      shown.is(state);
    });
  }
}
