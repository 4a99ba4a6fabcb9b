import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** From the smallest phone-like window to a 4K screen at twice the density. */
export const SIZES = {
  small: { width: 360, height: 740 },
  laptop: { width: 1280, height: 800 },
  large: { width: 2560, height: 1440 },
};
const SCHEMES = ['light', 'dark'] as const;

interface Look {
  readonly page: Page;
  /** What is looked at: the beginning of the pictures' names. */
  readonly name: string;
  /** Where the pictures go. */
  readonly folder: string;
  readonly sizes?: Partial<typeof SIZES>;
}

/**
 * Looks at a page in each scheme and size: axe finds nothing (contrast depends on the scheme, order on the size), nothing
 * is wider than the window; and takes its picture. Once more mirrored, as a language from right to left has it.
 */
export async function look({ page, name, folder, sizes = SIZES }: Look): Promise<void> {
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    for (const [label, size] of Object.entries(sizes)) {
      await page.setViewportSize(size);
      await page.waitForTimeout(150);
      const where = `${name}, ${label}, ${scheme}`;
      // The large window differs from the laptop's in space alone.
      if (label !== 'large') await expectAccessible(page, where);
      await expectNoOverflow(page, where);
      await page.screenshot({ path: `${folder}/${name}-${label}-${scheme}.png` });
    }
  }
  await page.setViewportSize(SIZES.small);
  await mirrored(page, async () => {
    await expectNoOverflow(page, `${name}, mirrored`);
    await page.screenshot({ path: `${folder}/${name}-mirrored.png` });
  });
  await page.setViewportSize(SIZES.laptop);
}

async function mirrored(page: Page, work: () => Promise<void>): Promise<void> {
  await page.evaluate(() => (document.documentElement.dir = 'rtl'));
  await work();
  await page.evaluate(() => (document.documentElement.dir = 'ltr'));
}

async function expectAccessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`);
  expect(found, where).toEqual([]);
}

/** Neither the page nor a dialog, which scrolls by itself, is wider than its window. */
async function expectNoOverflow(page: Page, where: string): Promise<void> {
  const tooWide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('dialog[open] *, .page')]
      .filter((element) => getComputedStyle(element).overflowX !== 'visible' || element === document.documentElement)
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1)
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`),
  );
  expect(tooWide, `${where}: scrolls sideways`).toEqual([]);
}
