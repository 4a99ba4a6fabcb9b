import * as chat from '../../protocol/chat.ts';
import * as devices from '../../protocol/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { PROTOCOL } from '../../protocol/frames.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import type { Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import type { Relay } from '../crypto/testing/relay.ts';
import { OfflineError, TimeoutError } from '../net/connection.ts';
import type { Connection, ConnectionState } from '../net/connection.ts';
import { welcome } from './broken-server.ts';

interface Asked {
  readonly method: Method;
  readonly params: never;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

type Send = ParamsOf<typeof chat.send>;

/** One device's connection to a relay in memory, on which a test decides when each frame arrives and when it breaks. */
export class ShakyLine implements Connection {
  /** Requests that the server has not seen yet. */
  readonly asked: Asked[] = [];
  /** Answers that have not arrived yet. */
  readonly #answers: (() => void)[] = [];
  readonly #undelivered: Asked[] = [];
  readonly #relay: Relay;
  readonly #address: DeviceAddress;
  readonly #accepted: Set<string>;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  state: ConnectionState = { kind: 'online' };
  readonly welcome: Connection['welcome'];

  constructor(relay: Relay, address: DeviceAddress, accepted: Set<string>, protocol: number = PROTOCOL.max) {
    this.#relay = relay;
    this.#address = address;
    this.#accepted = accepted;
    this.welcome = welcome({ protocol }) as unknown as Connection['welcome'];
  }

  request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    if (this.state.kind !== 'online') return Promise.reject(new OfflineError('cut'));
    return new Promise<ResultOf<M>>((resolve, reject) =>
      this.asked.push({ method, params: params as never, resolve, reject }),
    );
  }

  /** The server takes the oldest request; its answer is under way. `refusal`: it refuses, whatever it is. */
  serve(refusal?: ErrorCode): void {
    const asked = this.asked.shift();
    if (asked === undefined) return;
    const outcome = refusal === undefined ? this.#outcome(asked) : refused(refusal);
    this.#undelivered.push(asked);
    this.#answers.push(() =>
      outcome instanceof Error ? asked.reject(outcome) : asked.resolve(outcome as unknown as never),
    );
  }

  /** The oldest answer arrives. */
  answer(): void {
    this.#undelivered.shift();
    this.#answers.shift()?.();
  }

  /** The server never answers what it has been asked; the requests run out of time. */
  forget(): void {
    for (const { reject } of this.asked.splice(0)) reject(new TimeoutError('forgotten'));
  }

  /** The line breaks after the server got `served` more requests. No answer arrives any more. */
  cut(served: number): void {
    for (let i = 0; i < served; i += 1) this.serve();
    const lost = [...this.#undelivered.splice(0), ...this.asked.splice(0)];
    this.#answers.splice(0);
    this.#set({ kind: 'offline', retryAt: null });
    for (const { reject } of lost) reject(new OfflineError('cut'));
  }

  /** The line seems dead, but is not. */
  doubt(): void {
    this.#set({ kind: 'connecting' });
  }

  restore(): void {
    this.#set({ kind: 'online' });
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  on = () => () => undefined;
  onResync = () => () => undefined;
  restart = () => Promise.reject(new OfflineError('not here'));
  pause(): void {}
  close(): void {}

  #set(state: ConnectionState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #outcome({ method, params }: Asked): object {
    if (method.name === chat.send.name) return this.#send(params as Send);
    if (method.name === devices.lists.name) {
      const { users } = params as ParamsOf<typeof devices.lists>;
      return { lists: users.flatMap((userId) => this.#relay.lists.get(userId) ?? []) };
    }
    return { bundles: this.#relay.takeBundles((params as ParamsOf<typeof devices.takeBundles>).devices) };
  }

  /** As the server does: the devices are compared first, then the order. */
  #send({ after, ...params }: Send): object {
    const known = this.#accepted.has(params.idempotencyId);
    if (!known && !this.#relay.fits(this.#address, params)) return refused('devices_stale');
    if (!known && after !== undefined && !this.#accepted.has(after)) return refused('send_out_of_order');
    const position = this.#relay.send(this.#address, params);
    this.#accepted.add(params.idempotencyId);
    return { position };
  }
}

function refused(code: ErrorCode): ProtocolError {
  const details = {
    devices_stale: { missing: [], gone: [] },
    rate_limited: { retryAfterMs: 1 },
    quota_sender: { retryAfterMs: 1 },
  }[code as 'rate_limited'];
  const Any = ProtocolError as unknown as new (code: ErrorCode, message: string, details: unknown) => ProtocolError;
  return new Any(code, 'refused by the test', details);
}
