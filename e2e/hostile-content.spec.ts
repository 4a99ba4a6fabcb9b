import { expect, test, type Page } from '@playwright/test';
import { glob } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleHostilePage } from './support/hostile-page/bundle.ts';
import { NOT_DRAWN } from './support/hostile-page/not-drawn.ts';

interface Drawn {
  readonly drawn: number;
  readonly failures: readonly { readonly view: string; readonly values: string; readonly problem: string }[];
}
declare const draw: (view: string) => Promise<Drawn>;
declare const viewNames: readonly string[];
declare const wholeNames: readonly string[];
declare const drawnComponents: ReadonlySet<string>;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

let page: Page;
let names: readonly string[];

test.beforeAll(async ({ browser }) => {
  const { script, styles } = await bundleHostilePage();
  page = await browser.newPage({ viewport: { width: 800, height: 700 } });
  await page.setContent('<!doctype html><meta charset="utf-8"><title>Views</title><body></body>');
  await page.addStyleTag({ content: styles });
  await page.addScriptTag({ content: script });
  names = await page.evaluate(() => viewNames);
});
test.afterAll(() => page.close());

test('every view draws every extreme value of every schema, within its width', async () => {
  test.setTimeout(900_000);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) await drawAll(name, name);
  // What lays itself out by the window's width, once more in a phone's.
  await page.setViewportSize({ width: 360, height: 640 });
  const whole = await page.evaluate(() => wholeNames);
  expect(whole.length).toBeGreaterThan(0);
  for (const name of whole) await drawAll(name, `${name}, on a phone`);
  await test.step('every component of the interface is drawn, or is named with a reason', async () => {
    const drawn = new Set(await page.evaluate(() => [...drawnComponents]));
    const missing = (await componentsOfTheInterface()).filter((path) => !drawn.has(path));
    expect(missing, 'neither drawn nor named in not-drawn.ts').toEqual(Object.keys(NOT_DRAWN).toSorted());
  });
});

async function drawAll(name: string, title: string): Promise<void> {
  const { drawn, failures } = await page.evaluate((view) => draw(view), name);
  console.log(`${title}: ${drawn} drawings`);
  expect(drawn, title).toBeGreaterThan(0);
  expect.soft(failures.slice(0, 5), `${title}: ${failures.length} of ${drawn}`).toEqual([]);
}

/** Their paths from the root of the repository, in order. */
async function componentsOfTheInterface(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of glob('renderer/**/*.svelte', { cwd: ROOT })) found.push(path.replaceAll('\\', '/'));
  return found.toSorted();
}
