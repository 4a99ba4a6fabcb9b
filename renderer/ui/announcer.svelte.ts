import { createContext } from 'svelte';

/** Says things to screen readers through the two live regions of the frame. */
export class Announcer {
  #polite = $state('');
  #assertive = $state('');
  /** A region is read out only when its text changes; the mark makes a repeated message a different one. */
  #odd = false;

  get polite(): string {
    return this.#polite;
  }
  get assertive(): string {
    return this.#assertive;
  }

  say(message: string): void {
    this.#polite = this.#marked(message);
  }
  interrupt(message: string): void {
    this.#assertive = this.#marked(message);
  }

  #marked(message: string): string {
    this.#odd = !this.#odd;
    return this.#odd ? message : `${message}\u00a0`;
  }
}

export const [useAnnouncer, provideAnnouncer] = createContext<Announcer>();
