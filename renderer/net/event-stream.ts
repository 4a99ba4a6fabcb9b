import type { EventFrame } from '../../protocol/frames.ts';
import type { EventParamsOf, EventType } from '../../protocol/method.ts';

type Handler = (params: never) => void | Promise<void>;

interface Subscription {
  readonly event: EventType;
  readonly handlers: Set<Handler>;
}

/** What became of an event: taken in, known already, or proof that the stream is broken. */
export type Receipt = 'taken' | 'repeated' | 'gap' | 'malformed';

/**
 * The server's events: checks that none is missing, and hands them out strictly one after the other.
 * `resumePoint` counts an event as had once it is in this queue, since the queue outlives the socket.
 */
export class EventStream {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #report: (error: unknown) => void;
  #position: { readonly stream: string; readonly seq: number } | null = null;
  #tail: Promise<void> = Promise.resolve();

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get resumePoint(): { readonly stream: string; readonly seq: number } | null {
    return this.#position;
  }

  /** Takes the server's word for where the stream is, after a hello. */
  moveTo(stream: string, seq: number): void {
    this.#position = { stream, seq };
  }

  /** The next hello will not ask to resume, so everything shown is fetched anew. */
  forget(): void {
    this.#position = null;
  }

  on<E extends EventType>(event: E, handler: (params: EventParamsOf<E>) => void | Promise<void>): () => void {
    const subscription = this.#subscriptions.get(event.name) ?? { event, handlers: new Set<Handler>() };
    this.#subscriptions.set(event.name, subscription);
    subscription.handlers.add(handler as Handler);
    return () => subscription.handlers.delete(handler as Handler);
  }

  /** Takes one event frame in. Events that nobody here knows (from a newer server) only count. */
  take(frame: EventFrame): Receipt {
    const position = this.#position;
    if (position === null || frame.seq > position.seq + 1) return 'gap';
    if (frame.seq <= position.seq) return 'repeated';
    this.#position = { stream: position.stream, seq: frame.seq };
    const subscription = this.#subscriptions.get(frame.event);
    if (subscription === undefined) return 'taken';
    const params = subscription.event.params.safeParse(frame.params);
    if (!params.success) return 'malformed';
    this.#tail = this.#tail.then(() => this.#handOut(subscription, params.data));
    return 'taken';
  }

  async #handOut(subscription: Subscription, params: unknown): Promise<void> {
    for (const handler of subscription.handlers) {
      try {
        await handler(params as never);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
