import { isLostAnswer, isPassing } from './retrying.ts';

/** `continues`: an earlier run was stopped by the line's loss, and no event was missed since. */
export type ResyncHandler = (continues?: boolean) => Promise<void>;

/**
 * What has to be fetched anew after events were missed. A handler that the line's loss has stopped stays owed, and is all
 * that the next connection runs if it can resume the stream: what was fetched is kept up to date by the events.
 */
export class Resync {
  readonly #handlers = new Set<ResyncHandler>();
  readonly #owed = new Set<ResyncHandler>();
  /** In which round each was last begun. */
  readonly #begun = new Map<ResyncHandler, number>();
  readonly #running = new Map<ResyncHandler, { readonly round: number; readonly done: Promise<boolean> }>();
  readonly #report: (error: unknown) => void;
  #round = 0;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  add(handler: ResyncHandler): () => void {
    this.#handlers.add(handler);
    return () => {
      this.#handlers.delete(handler);
      this.#owed.delete(handler);
      this.#begun.delete(handler);
    };
  }

  /** Events were missed: everything is to be fetched. */
  owe(): void {
    this.#round += 1;
    for (const handler of this.#handlers) this.#owed.add(handler);
  }

  get isOwed(): boolean {
    return this.#owed.size > 0;
  }

  /** Runs what is owed. Resolves once all have ended; never rejects. */
  async run(): Promise<void> {
    const round = this.#round;
    await Promise.all(
      [...this.#owed].map(async (handler) => {
        if ((await this.#runOne(handler, round)) && round === this.#round) this.#owed.delete(handler);
      }),
    );
  }

  /** One that an earlier connection began, and that goes on with this one, is not begun twice. */
  async #runOne(handler: ResyncHandler, round: number): Promise<boolean> {
    const earlier = this.#running.get(handler);
    if (earlier !== undefined && (await earlier.done) && earlier.round === round) return true;
    const continues = this.#begun.get(handler) === round;
    this.#begun.set(handler, round);
    const done = this.#attempt(handler, continues);
    const running = { round, done };
    this.#running.set(handler, running);
    const settled = await done;
    if (this.#running.get(handler) === running) this.#running.delete(handler);
    return settled;
  }

  /** False if it is to be tried again. */
  async #attempt(handler: ResyncHandler, continues: boolean): Promise<boolean> {
    try {
      await handler(continues);
      return true;
    } catch (error) {
      if (isLostAnswer(error)) return false;
      this.#report(error);
      return !isPassing(error);
    }
  }
}
