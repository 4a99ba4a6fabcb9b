/**
 * Runs tasks that share a key one after the other, and others side by side. A session operation reads a session and
 * later writes it; two of them on one address must not interleave. So the owner of the sessions (one worker under a
 * Web Lock) runs each operation, with its commit, as `queue.run(addresses it touches, task)`. A task waits for
 * every earlier task that shares any of its keys, hence two tasks can never wait for each other. The queue forgets
 * a key when its last task has ended.
 */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves or rejects as the task does; a task that fails does not stop the ones after it. */
  async run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const distinct = [...new Set(keys)];
    const earlier = distinct.map((key) => this.#tails.get(key));
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of distinct) this.#tails.set(key, ended);
    try {
      await Promise.all(earlier);
      return await task();
    } finally {
      for (const key of distinct) if (this.#tails.get(key) === ended) this.#tails.delete(key);
      end();
    }
  }

  /** Keys with tasks running or waiting. */
  get size(): number {
    return this.#tails.size;
  }
}
