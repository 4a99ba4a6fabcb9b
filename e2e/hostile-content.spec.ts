import { expect, test, type Page } from '@playwright/test';
import { bundleHostilePage } from './support/hostile-page/bundle.ts';

interface Drawn {
  readonly drawn: number;
  readonly failures: readonly { readonly view: string; readonly values: string; readonly problem: string }[];
}
declare const draw: (view: string) => Promise<Drawn>;
declare const viewNames: readonly string[];

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
  test.setTimeout(600_000);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    const { drawn, failures } = await page.evaluate((view) => draw(view), name);
    console.log(`${name}: ${drawn} drawings`);
    expect(drawn, name).toBeGreaterThan(0);
    expect.soft(failures.slice(0, 5), `${name}: ${failures.length} of ${drawn}`).toEqual([]);
  }
});
