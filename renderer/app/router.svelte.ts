import { hashOf, home, parseRoute, type Route } from './route.ts';

/** Follows and sets the address's fragment. Reactive. */
export class Router {
  readonly #window: Window;
  #route = $state.raw<Route>(home);

  constructor(window: Window) {
    this.#window = window;
    this.#route = parseRoute(window.location.hash);
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

  /** Takes the fragment out of the address bar and the history, while the page stays as it is. */
  conceal(): void {
    this.#window.history.replaceState(null, '', '#/');
  }
}
