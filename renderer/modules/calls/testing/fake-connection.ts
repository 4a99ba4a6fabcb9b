import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../../../protocol/method.ts';
import type { Connection, ConnectionState } from '../../../net/connection.ts';
import { OfflineError } from '../../../net/connection.ts';
import type { UserId } from '../../../../protocol/ids.ts';
import { DEVICE, personOf, uuid } from './calls.ts';

interface Asked {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The boundary to the server: requests are recorded and answered by the test, events are sent by it. */
export class FakeConnection implements Connection {
  state: ConnectionState = { kind: 'online' };
  welcome: Connection['welcome'];
  readonly asked: Asked[] = [];
  readonly #answers = new Map<string, (params: never) => unknown>();
  readonly #handlers = new Map<string, (params: never) => void | Promise<void>>();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #resync = new Set<() => Promise<void>>();

  constructor(self: UserId) {
    this.welcome = {
      protocol: 1,
      server: { version: '0', organisation: 'Tea', time: 0 },
      challenge: '',
      account: personOf(self),
      deviceId: DEVICE,
      stream: uuid(500),
      seq: 0,
      resumed: false,
    };
  }

  /** Answers a method from now on; a thrown error refuses. */
  answer<M extends Method>(method: M, handle: (params: ParamsOf<M>) => ResultOf<M> | Promise<ResultOf<M>>): void {
    this.#answers.set(method.name, handle);
  }

  async emit<E extends EventType>(event: E, params: EventParamsOf<E>): Promise<void> {
    await this.#handlers.get(event.name)?.(event.params.parse(params) as never);
  }

  setState(state: ConnectionState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  async resynchronise(): Promise<void> {
    for (const handler of this.#resync) await handler();
  }

  /** The parameters of each request of a method so far. */
  paramsOf<M extends Method>(method: M): ParamsOf<M>[] {
    return this.asked.filter((one) => one.method === method.name).map(({ params }) => params as ParamsOf<M>);
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  on<E extends EventType>(event: E, handler: (params: EventParamsOf<E>) => void | Promise<void>): () => void {
    this.#handlers.set(event.name, handler as (params: never) => void | Promise<void>);
    return () => this.#handlers.delete(event.name);
  }

  onResync(handler: () => Promise<void>): () => void {
    this.#resync.add(handler);
    return () => this.#resync.delete(handler);
  }

  async request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    if (this.state.kind !== 'online' && this.state.kind !== 'resynchronising') throw new OfflineError('offline');
    this.asked.push({ method: method.name, params: method.params.parse(params) as Record<string, unknown> });
    const answer = this.#answers.get(method.name);
    return (answer === undefined ? {} : await answer(params as never)) as ResultOf<M>;
  }

  restart(): Promise<never> {
    throw new Error('not part of these tests');
  }
  pause(): void {}
  close(): void {}
}
