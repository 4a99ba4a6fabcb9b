import { ProtocolError } from '../../protocol/errors.ts';
import { PROTOCOL } from '../../protocol/frames.ts';
import type { hello } from '../../protocol/hello.ts';
import type { Account } from '../../protocol/accounts.ts';
import type { ParamsOf, ResultOf } from '../../protocol/method.ts';
import type { Connection } from './connection.ts';
import type { EventHub } from './event-hub.ts';
import type { CallerSession } from './method.ts';

/** Finds out whose session a token is. The accounts module answers it. */
export interface Authenticator {
  /** Null if there is no such session (any more). Notes that it was seen. */
  authenticate(
    token: string,
    client: string,
  ): Promise<{ readonly session: CallerSession; readonly account: Account } | null>;
  /** Whether a session was revoked while its hello was being answered. */
  isLive(session: CallerSession): boolean;
}

export interface HelloDeps {
  readonly authenticator: Authenticator;
  readonly hub: EventHub;
  readonly version: string;
  readonly organisation: string;
  readonly now: () => number;
}

/**
 * Answers hello through `respond` and then sends the events that were missed, with nothing in between. `admit` is told
 * whose session was named, null if nobody's, and may refuse.
 * Errors: `protocol_unsupported`, `session_invalid`, and what `admit` rejects with.
 */
export async function answerHello(
  deps: HelloDeps,
  connection: Connection,
  params: ParamsOf<typeof hello>,
  admit: (session: CallerSession | null) => Promise<void>,
  respond: (result: ResultOf<typeof hello>) => void,
): Promise<void> {
  const protocol = Math.min(params.protocol.max, PROTOCOL.max);
  if (protocol < params.protocol.min || protocol < PROTOCOL.min) {
    throw new ProtocolError('protocol_unsupported', 'No protocol version in common.', PROTOCOL);
  }
  const known =
    params.session === undefined ? null : await deps.authenticator.authenticate(params.session, params.client);
  if (params.session !== undefined) await admit(known?.session ?? null);
  if (params.session !== undefined && (!known || !deps.authenticator.isLive(known.session))) {
    throw new ProtocolError('session_invalid', 'The session is unknown or was revoked.');
  }
  if (connection.closing) return;
  connection.identify(params.client, known?.session ?? null);
  const attached = deps.hub.attach(connection, known?.session ?? null, params.resume);
  respond({
    protocol,
    server: { version: deps.version, organisation: deps.organisation, time: deps.now() },
    challenge: connection.challenge,
    account: known?.account ?? null,
    deviceId: known?.session.deviceId ?? null,
    stream: attached.stream.id as ResultOf<typeof hello>['stream'],
    seq: attached.seq,
    resumed: attached.resumed,
  });
  for (const frame of attached.missed) connection.send(frame);
}
