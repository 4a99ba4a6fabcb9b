import { MAX_ACTIVE_CALLS } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import type { ConnectionEvents } from '../../ws/event-sink.ts';
import { type CallServices, type DeviceCaller, LiveCall } from './call.ts';
import { CallRules } from './call-rules.ts';
import { CallsByConnection } from './calls-by-connection.ts';
import { type CallState, isIn, memberOf } from './call-state.ts';
import { LIMITS } from './limits.ts';

/** Every call of this server, by id. In memory: a call lives no longer than the connections that hold it. */
export class CallRegistry {
  /** What an account may do across all of them. */
  readonly rules: CallRules = new CallRules(() => this.#ongoing().map(({ state }) => state));
  readonly #services: Omit<CallServices, 'ended' | 'rules'>;
  readonly #calls = new Map<CallId, LiveCall>();
  readonly #byConnection = new CallsByConnection((call, connectionId) => this.#disconnected(call, connectionId));
  readonly #stopListening: () => void;

  constructor(services: Omit<CallServices, 'ended' | 'rules'>, connections: ConnectionEvents) {
    this.#services = services;
    this.#stopListening = connections.onClosed(({ connectionId }) => this.#byConnection.closed(connectionId));
  }

  /** Calls that are going on. */
  get size(): number {
    return this.#ongoing().length;
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

  /** Puts the caller in a call. @throws ProtocolError `call_unknown`, and as `LiveCall.join` */
  async join(callId: CallId, caller: DeviceCaller, rtpCapabilities: RtpCapabilities) {
    const call = this.ofMember(callId, caller.session.userId);
    return this.#byConnection.joining(call, caller.connectionId, () => call.join(caller, rtpCapabilities));
  }

  /**
   * The calls going on that concern this account: those that ring for it or that it is in, then those it may come back
   * to, newest first; at most `MAX_ACTIVE_CALLS`. What it declined is no longer its concern.
   */
  ofUser(userId: UserId): CallState[] {
    const rank = (state: CallState) => {
      const member = memberOf(state, userId);
      if (member === undefined || member.state === 'declined') return null;
      return member.state === 'ringing' || isIn(member) ? 0 : 1;
    };
    return this.#ongoing()
      .flatMap(({ state }) => {
        const first = rank(state);
        return first === null ? [] : [{ state, first }];
      })
      .sort((a, b) => a.first - b.first || b.state.startedAt - a.state.startedAt)
      .slice(0, MAX_ACTIVE_CALLS)
      .map(({ state }) => state);
  }

  add(first: CallState): LiveCall {
    const call = new LiveCall(first, {
      ...this.#services,
      rules: this.rules,
      ended: (ended) => this.#forgetLater(ended),
    });
    this.#calls.set(first.callId, call);
    return call;
  }

  close(): void {
    this.#stopListening();
    for (const call of this.#calls.values()) call.end();
  }

  #ongoing(): LiveCall[] {
    return [...this.#calls.values()].filter(({ over }) => !over);
  }

  #disconnected(call: LiveCall, connectionId: string): void {
    if (call.over) return;
    call.disconnected(connectionId).catch((error: unknown) => {
      this.#services.logger.error({ err: error, callId: call.state.callId }, 'releasing a connection failed');
    });
  }

  #forgetLater(call: LiveCall): void {
    this.#services.clock.after(LIMITS.endedMemory.value, () => this.#calls.delete(call.state.callId));
  }
}
