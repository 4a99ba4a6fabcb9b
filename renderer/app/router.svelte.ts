import { hashOf, home, parseRoute, type Route } from './route.ts';

/** What a history entry keeps whose address was taken away. */
interface ConcealedState {
  readonly concealed: string;
}

/** Follows and sets the address's fragment. Reactive. */
export class Router {
  readonly #window: Window;
  #route = $state.raw<Route>(home);

  constructor(window: Window) {
    this.#window = window;
    this.#route = parseRoute(this.#concealed() ?? window.location.hash);
  }

  get route(): Route {
    return this.#route;
  }

  /** Begins to follow the address. Returns the undo. */
  listen(): () => void {
    const follow = () => {
      this.#route = parseRoute(this.#window.location.hash);
    };
    this.#window.addEventListener('hashchange', follow);
    return () => this.#window.removeEventListener('hashchange', follow);
  }

  go(route: Route): void {
    if (hashOf(route) === this.#window.location.hash) return;
    this.#window.location.hash = hashOf(route);
    this.#route = route;
  }

  /** Goes there without leaving the present address in the history: for secrets, and for pages that are over. */
  replace(route: Route): void {
    this.#window.history.replaceState(null, '', hashOf(route));
    this.#route = route;
  }

  /** Shows a page without naming it in the address: for secrets that were never there. */
  show(route: Route): void {
    this.#route = route;
  }

  /**
   * Takes the fragment out of the address bar, where others may see or copy it, while the page stays as it is; the tab
   * remembers it until another page is shown, so that a reload comes back here.
   */
  conceal(): void {
    const state: ConcealedState = { concealed: hashOf(this.#route) };
    this.#window.history.replaceState(state, '', '#/');
  }

  #concealed(): string | null {
    const state = this.#window.history.state as Partial<ConcealedState> | null;
    return typeof state?.concealed === 'string' ? state.concealed : null;
  }
}
