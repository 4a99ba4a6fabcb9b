type Line = (() => Promise<void>)[];

/**
 * Runs tasks one at a time, in turns: everybody who has tasks waiting gets one done before anybody gets a second. Those
 * of one run in the order they came. A task that fails does not stop the next. So whoever asks for a hundred things at
 * once keeps another waiting for one of them.
 */
export class FairQueue {
  /** Whose turn is next comes first. */
  readonly #lines = new Map<string, Line>();
  /** Whose task runs, and what else they want; they stand in line again when it is done. */
  #served: { readonly who: string; readonly line: Line } | null = null;

  run<T>(who: string, task: () => T | Promise<T>): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      this.#lineOf(who).push(() => Promise.resolve().then(task).then(resolve, reject));
    });
    if (this.#served === null) void this.#work();
    return result;
  }

  #lineOf(who: string): Line {
    if (this.#served?.who === who) return this.#served.line;
    const line = this.#lines.get(who) ?? [];
    this.#lines.set(who, line);
    return line;
  }

  async #work(): Promise<void> {
    for (let [first] = this.#lines; first !== undefined; [first] = this.#lines) {
      const [who, line] = first;
      this.#lines.delete(who);
      this.#served = { who, line };
      await line.shift()?.();
      this.#served = null;
      if (line.length > 0) this.#lines.set(who, line);
    }
  }
}
