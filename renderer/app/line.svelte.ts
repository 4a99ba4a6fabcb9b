import type { Connection, ConnectionState } from '../net/connection.ts';

/** The connection's state, made reactive. */
export class Line {
  state: ConnectionState = $state.raw({ kind: 'connecting' });

  constructor(connection: Connection) {
    connection.onState((state) => (this.state = state));
  }
}
