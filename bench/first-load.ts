/** What a browser fetches and how long it takes until somebody new can type, with nothing cached. */
import type { Browser } from '@playwright/test';
import { TestServer } from '../e2e/support/server.ts';
import { openBrowser } from './browser.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const LOADS = 9;

interface Load {
  /** Navigation start to the first usable field, ms. */
  readonly interactive: number;
  /** Bytes on the wire of the scripts that the page itself names, compressed. */
  readonly entry: number;
  /** Bytes on the wire of everything up to then, compressed. */
  readonly total: number;
}

async function load(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  const loaded = await page.evaluate(
    () =>
      new Promise<Load>((resolve) => {
        const look = () => {
          const field = document.querySelector<HTMLInputElement>('input:not([disabled])');
          if (!field) return void requestAnimationFrame(look);
          const interactive = performance.now();
          const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
          const named = [...document.querySelectorAll<HTMLScriptElement>('script[src]')].map(({ src }) => src);
          const sum = (list: PerformanceResourceTiming[]) =>
            list.reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0);
          resolve({
            interactive,
            entry: sum(resources.filter(({ name }) => named.includes(name))),
            total: sum(resources),
          });
        };
        look();
      }),
  );
  await context.close();
  return loaded;
}

/** The limit: the same server's smallest page, from navigation to painted. */
async function bare(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  const painted = await page.evaluate(
    () => new Promise<number>((resolve) => requestAnimationFrame(() => resolve(performance.now()))),
  );
  await context.close();
  return painted;
}

const server = await TestServer.start();
const browser = await openBrowser();
const [invitation] = await server.invite(1);
const loads: Load[] = [];
const bares: number[] = [];
for (let n = 0; n < LOADS; n++) {
  bares.push(await bare(browser, `${server.origin}/healthz`));
  loads.push(await load(browser, `${server.origin}/${invitation}`));
}
await browser.close();
await server.stop();

const limit = { name: 'the same server, a page of one line, p50', value: percentile(bares, 0.5), unit: 'ms' };
const interactive = loads.map((one) => one.interactive);
report({
  bench: 'web.interactive.p50',
  value: percentile(interactive, 0.5),
  unit: 'ms',
  target: 1000,
  lowerIsBetter: true,
  limit,
});
const total = { name: 'everything fetched by then', value: loads[0]!.total / 1000, unit: 'kB' };
report({
  bench: 'web.entry_chunk',
  value: loads[0]!.entry / 1000,
  unit: 'kB',
  target: 300,
  lowerIsBetter: true,
  limit: total,
});
