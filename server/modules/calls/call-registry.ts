import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { ConnectionEvents } from '../../ws/event-sink.ts';
import { type CallServices, LiveCall } from './call.ts';
import { type CallState, memberOf } from './call-state.ts';

/** How long an ended call is remembered, so that late requests learn that it ended. Milliseconds. */
export const MEMORY_MS = 5 * 60_000;

/** Every call of this server, by id. In memory: a call lives no longer than the connections that hold it. */
export class CallRegistry {
  readonly #services: Omit<CallServices, 'ended'>;
  readonly #calls = new Map<CallId, LiveCall>();
  readonly #stopListening: () => void;

  constructor(services: Omit<CallServices, 'ended'>, connections: ConnectionEvents) {
    this.#services = services;
    this.#stopListening = connections.onClosed(({ connectionId }) => this.#disconnected(connectionId));
  }

  /** Calls that are going on. */
  get size(): number {
    return [...this.#calls.values()].filter(({ over }) => !over).length;
  }

  find(callId: CallId): LiveCall | undefined {
    return this.#calls.get(callId);
  }

  /** A call as one of its members sees it; for anybody else it does not exist. @throws ProtocolError `call_unknown` */
  ofMember(callId: CallId, userId: UserId): LiveCall {
    const call = this.#calls.get(callId);
    if (call === undefined || memberOf(call.state, userId) === undefined) {
      throw new ProtocolError('call_unknown', 'no such call');
    }
    return call;
  }

  /** The calls going on that this account is a member of. */
  ofUser(userId: UserId): LiveCall[] {
    return [...this.#calls.values()].filter(({ over, state }) => !over && memberOf(state, userId) !== undefined);
  }

  add(first: CallState): LiveCall {
    const call = new LiveCall(first, { ...this.#services, ended: (ended) => this.#forgetLater(ended) });
    this.#calls.set(first.callId, call);
    return call;
  }

  close(): void {
    this.#stopListening();
    for (const call of this.#calls.values()) call.end();
  }

  #disconnected(connectionId: string): void {
    for (const call of this.#calls.values()) {
      if (call.over) continue;
      call.disconnected(connectionId).catch((error: unknown) => {
        this.#services.logger.error({ err: error, callId: call.state.callId }, 'releasing a connection failed');
      });
    }
  }

  #forgetLater(call: LiveCall): void {
    this.#services.clock.after(MEMORY_MS, () => this.#calls.delete(call.state.callId));
  }
}
