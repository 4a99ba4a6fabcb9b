import { createContext } from 'svelte';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'danger';
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

export interface ToastOptions {
  readonly tone?: Toast['tone'];
  readonly action?: NonNullable<Toast['action']>;
  /** Runs when the toast goes without its action having been chosen: the moment to make an undoable thing final. */
  readonly onexpire?: () => void;
}

/** WCAG 2.2, 2.2.1: with an action there must be time to reach it. Milliseconds. */
const PLAIN_MS = 5_000;
const ACTION_MS = 10_000;

interface Running {
  readonly toast: Toast;
  readonly onexpire: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Short notices at the edge of the window, with an optional way back. */
export class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  readonly #running = new Map<number, Running>();
  #nextId = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(text: string, options: ToastOptions = {}): void {
    const toast: Toast = { id: this.#nextId, text, tone: options.tone ?? 'plain', action: options.action ?? null };
    this.#nextId += 1;
    this.#running.set(toast.id, { toast, onexpire: options.onexpire, timer: undefined });
    this.#list = [...this.#list, toast];
    this.resume(toast.id);
  }

  /** Chooses the action of a toast, which then goes. */
  act(id: number): void {
    const running = this.#take(id);
    running?.toast.action?.run();
  }

  dismiss(id: number): void {
    this.#take(id)?.onexpire?.();
  }

  /** While the pointer or the focus is on it, a toast stays. */
  pause(id: number): void {
    clearTimeout(this.#running.get(id)?.timer);
  }

  resume(id: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => this.dismiss(id), running.toast.action === null ? PLAIN_MS : ACTION_MS);
  }

  /** Makes everything final at once, for example when the window closes. */
  flush(): void {
    for (const id of this.#running.keys()) this.dismiss(id);
  }

  #take(id: number): Running | undefined {
    const running = this.#running.get(id);
    clearTimeout(running?.timer);
    this.#running.delete(id);
    this.#list = this.#list.filter((toast) => toast.id !== id);
    return running;
  }
}

export const [useToasts, provideToasts] = createContext<Toasts>();
