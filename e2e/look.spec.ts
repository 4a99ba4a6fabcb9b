import AxeBuilder from '@axe-core/playwright';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { expectMovingPicture } from './support/media.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

/** From the smallest phone-like window to a 4K screen at twice the density. */
const SIZES = {
  small: { width: 360, height: 740 },
  laptop: { width: 1280, height: 800 },
  large: { width: 2560, height: 1440 },
};
const SCHEMES = ['light', 'dark'] as const;
/** With UPDATE_SCREENSHOTS=1 the pictures of the README are taken anew; otherwise they go with the test's results. */
const KEPT = process.env['UPDATE_SCREENSHOTS'] === '1' ? 'docs/screenshots' : undefined;

let server: TestServer;
let ada: Person;
let ben: Person;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  server = await TestServer.start();
});

test.afterAll(async () => {
  await ada?.close();
  await ben?.close();
  await server?.stop();
});

/**
 * Looks at a page in each scheme and size: axe finds nothing (contrast depends on the scheme, order on the size), nothing
 * is wider than the window; and takes its picture.
 */
async function look(page: Page, name: string, folder: string, sizes: Partial<typeof SIZES> = SIZES): Promise<void> {
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    for (const [label, size] of Object.entries(sizes)) {
      await page.setViewportSize(size);
      await page.waitForTimeout(150);
      const where = `${name}, ${label}, ${scheme}`;
      // The large window differs from the laptop's in space alone.
      if (label !== 'large') await expectAccessible(page, where);
      const tooWide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(tooWide, `${where}: scrolls sideways`).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `${KEPT ?? folder}/${name}-${label}-${scheme}.png` });
    }
  }
  await page.setViewportSize(SIZES.laptop);
}

async function expectAccessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`);
  expect(found, where).toEqual([]);
}

async function arrive(browser: Browser): Promise<void> {
  const [first, second] = await server.invite(2, 'admin');
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  await ben.signUp(second!);
  await ada.open(first!);
}

test('the door: sign in and create account', async ({ browser }, info) => {
  await arrive(browser);
  await expect(ada.page.getByRole('button', { name: 'Create account' })).toBeVisible();
  await look(ada.page, 'create-account', info.outputPath());
  await ada.signUpHere();
  const stranger = await Person.arrive(browser, 'A Stranger', server);
  await stranger.open();
  await expect(stranger.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await look(stranger.page, 'sign-in', info.outputPath());
  await stranger.close();
});

test('an empty house', async ({}, info) => {
  await expect(ada.page.getByRole('button', { name: 'New chat' }).first()).toBeVisible();
  await look(ada.page, 'empty', info.outputPath());
});

test('a conversation', async ({}, info) => {
  await ada.openChatWith(ben);
  for (const text of ['Good morning, Ben. Is the new oolong in?', 'The courier says between nine and ten.'])
    await ada.say(text);
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await ben.sees('The courier says between nine and ten.');
  await ben.say('It is: three tins, and the notes are at https://example.org/tasting');
  await ben.say('Shall we taste it together after the stand-up?');
  await ada.sees('Shall we taste it together after the stand-up?');
  await look(ada.page, 'chat', info.outputPath());
});

for (const place of ['Calls', 'Contacts', 'Settings'] as const) {
  test(`the page "${place}"`, async ({}, info) => {
    await ada.goTo(place);
    await expect(ada.page.getByRole('heading', { name: place }).first()).toBeVisible();
    await look(ada.page, place.toLowerCase(), info.outputPath());
  });
}

test('a call', async ({}, info) => {
  await ada.goTo('Chats');
  await ada.page.getByRole('link', { name: /Ben Okafor/ }).click();
  await ada.page.getByRole('button', { name: 'Start video call' }).click();
  await expect(ben.page.getByRole('button', { name: 'Accept' })).toBeVisible();
  // It rings for 45 seconds only.
  await look(ben.page, 'incoming-call', info.outputPath(), { laptop: SIZES.laptop });
  await ben.page.getByRole('button', { name: 'Accept' }).click();
  await expectMovingPicture(ada.tile(ben));
  await look(ada.page, 'call', info.outputPath());
  await ada.page.getByRole('button', { name: 'Leave call' }).click();
});

test('everything is reached from the keyboard', async () => {
  await ada.page.keyboard.press('Escape');
  await ada.goTo('Chats');
  await ada.page.getByRole('button', { name: 'New chat' }).first().focus();
  await ada.page.keyboard.press('Enter');
  await expect(ada.page.getByLabel('Find people')).toBeFocused();
  await ada.page.keyboard.type('Ben');
  await expect(ada.page.getByRole('option', { name: 'Ben Okafor' })).toBeVisible();
  await ada.page.keyboard.press('ArrowDown');
  await ada.page.keyboard.press('Enter');
  await expect(ada.messageField).toBeFocused();
  await ada.page.keyboard.type('Written without a mouse.');
  await ada.page.keyboard.press('Enter');
  await ada.sees('Written without a mouse.');
});
