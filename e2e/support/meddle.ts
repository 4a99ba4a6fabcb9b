import type { Page, WebSocketRoute } from '@playwright/test';
import type { ErrorCode } from '../../protocol/errors.ts';

/** What a request gets: an error in place of its answer; or it waits until it is let through. */
type Verdict = { readonly code: ErrorCode; readonly details?: unknown } | 'wait';

/** Stands between a page and its server, and keeps requests from it. */
export class Meddler {
  readonly #verdicts = new Map<string, Verdict>();
  #waiting: { readonly method: string; readonly pass: () => void }[] = [];
  #sockets: WebSocketRoute[] = [];

  /** From the page's next load on. */
  static async between(page: Page): Promise<Meddler> {
    const meddler = new Meddler();
    await page.routeWebSocket(/\/ws$/, (near) => meddler.#join(near));
    return meddler;
  }

  meddle(method: string, verdict: Verdict): void {
    this.#verdicts.set(method, verdict);
  }

  /** Lets a method through again, with the requests that wait. */
  let(method: string): void {
    this.#verdicts.delete(method);
    const freed = this.#waiting.filter((request) => request.method === method);
    this.#waiting = this.#waiting.filter((request) => request.method !== method);
    for (const { pass } of freed) pass();
  }

  /** Closes what is open with one of the protocol's codes. */
  async close(code: number): Promise<void> {
    for (const socket of this.#sockets.splice(0)) await socket.close({ code });
  }

  #join(near: WebSocketRoute): void {
    this.#sockets.push(near);
    const far = near.connectToServer();
    near.onMessage((message) => {
      const { id, method } = JSON.parse(message.toString()) as { id: number; method: string };
      const verdict = this.#verdicts.get(method);
      const pass = () => far.send(message);
      if (verdict === undefined) pass();
      else if (verdict === 'wait') this.#waiting.push({ method, pass });
      else near.send(JSON.stringify({ id, error: { ...verdict, message: 'meddled with' } }));
    });
  }
}
