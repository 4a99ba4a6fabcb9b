/** Numbers the turns of the event loop in which it is asked for. */
export class LoopTurns {
  #current = 0;
  #counting = false;

  get current(): number {
    if (!this.#counting) {
      this.#counting = true;
      setImmediate(() => {
        this.#counting = false;
        this.#current += 1;
      });
    }
    return this.#current;
  }
}
