/** From the click on "Send" to the text on the other person's screen, between two Chromium pages. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Browser, Page } from '@playwright/test';
import { WebSocket, WebSocketServer } from 'ws';
import { openBrowser, openPair } from './browser.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const MESSAGES = 60;
/** Between messages: a person's pace, by which the receipts of the last one are through. Milliseconds. */
const PAUSE_MS = 400;
/** Between the last key and the click, by which what was typed is drawn. Milliseconds. */
const TYPED_MS = 100;
/** From the order to click to the click, by which the order itself is through: the instrument stays out of the measure. */
const ORDERED_MS = 50;

/** Resolves with the epoch time (ms, fractional) of the first frame that shows `text` inside `selector`. */
async function shownAt(page: Page, selector: string, text: string): Promise<number> {
  return await page.evaluate(
    ([where, what]) =>
      new Promise<number>((resolve) => {
        const target = document.querySelector(where!);
        const look = () => {
          if (!target?.textContent?.includes(what!)) return false;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
          return true;
        };
        const observer = new MutationObserver(look);
        if (target && !look()) observer.observe(target, { subtree: true, childList: true, characterData: true });
      }),
    [selector, text],
  );
}

/** When a page last did what it was told to. Epoch time, milliseconds. */
async function actedAt(page: Page): Promise<number> {
  return await page.evaluate(() => (globalThis as unknown as { actedAt: number }).actedAt);
}

async function teahouse(): Promise<number[]> {
  const pair = await openPair();
  const samples: number[] = [];
  try {
    for (let n = 0; n < MESSAGES + 5; n++) {
      const text = `measured message number ${n}`;
      await pair.ada.messageField.fill(text);
      await pair.ada.page.waitForTimeout(TYPED_MS);
      const seen = shownAt(pair.ben.page, '[role="log"]', text);
      await pair.ada.page.getByRole('button', { name: 'Send', exact: true }).evaluate((button, delay) => {
        setTimeout(() => {
          Object.assign(globalThis, { actedAt: performance.timeOrigin + performance.now() });
          (button as HTMLButtonElement).click();
        }, delay);
      }, ORDERED_MS);
      const elapsed = (await seen) - (await actedAt(pair.ada.page));
      // The first few warm both ends up: session set-up, compiled code.
      if (n >= 5) samples.push(elapsed);
      await pair.ben.page.waitForTimeout(PAUSE_MS);
    }
  } finally {
    await pair.close();
  }
  return samples;
}

/** The limit: the same two pages and one WebSocket relay, with nothing encrypted, stored or styled. */
async function rawRelay(browser: Browser): Promise<number[]> {
  const http = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<p role="log"></p>'),
  );
  const relay = new WebSocketServer({ server: http });
  relay.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const other of relay.clients)
        if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data.toString());
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as { port: number };
  const open = async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(async () => {
      const socket = new WebSocket(`ws://${location.host}/`);
      Object.assign(globalThis, { socket });
      socket.onmessage = ({ data }) => (document.querySelector('[role="log"]')!.textContent = String(data));
      await new Promise((resolve) => (socket.onopen = resolve));
    });
    return page;
  };
  const [sender, receiver] = [await open(), await open()];
  const samples: number[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    const text = `measured message number ${n}.`;
    const seen = shownAt(receiver, '[role="log"]', text);
    await sender.evaluate(
      ([message, delay]) => {
        setTimeout(() => {
          Object.assign(globalThis, { actedAt: performance.timeOrigin + performance.now() });
          (globalThis as unknown as { socket: WebSocket }).socket.send(message);
        }, delay);
      },
      [text, ORDERED_MS] as const,
    );
    samples.push((await seen) - (await actedAt(sender)));
    await receiver.waitForTimeout(PAUSE_MS);
  }
  relay.close();
  http.close();
  http.closeAllConnections();
  return samples;
}

const browser = await openBrowser();
const raw = await rawRelay(browser);
await browser.close();
const ours = await teahouse();
const limit = { name: 'raw WebSocket relay between two pages, p50', value: percentile(raw, 0.5), unit: 'ms' };
report({
  bench: 'chat.send_to_screen.p50',
  value: percentile(ours, 0.5),
  unit: 'ms',
  target: 30,
  lowerIsBetter: true,
  limit,
});
report({ bench: 'chat.send_to_screen.p95', value: percentile(ours, 0.95), unit: 'ms', lowerIsBetter: true, limit });
