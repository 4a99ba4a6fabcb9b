import { type Browser, expect, test } from '@playwright/test';
import { look, SIZES } from './support/look.ts';
import { expectMovingPicture } from './support/media.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

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
  await look({ page: ada.page, name: 'create-account', folder: KEPT ?? info.outputPath() });
  await ada.signUpHere();
  const stranger = await Person.arrive(browser, 'A Stranger', server);
  await stranger.open();
  await expect(stranger.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await look({ page: stranger.page, name: 'sign-in', folder: KEPT ?? info.outputPath() });
  await stranger.close();
});

test('an empty house', async ({}, info) => {
  await expect(ada.page.getByRole('button', { name: 'New chat' }).first()).toBeVisible();
  await look({ page: ada.page, name: 'empty', folder: KEPT ?? info.outputPath() });
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
  await look({ page: ada.page, name: 'chat', folder: KEPT ?? info.outputPath() });
});

for (const place of ['Calls', 'Contacts', 'Settings'] as const) {
  test(`the page "${place}"`, async ({}, info) => {
    await ada.goTo(place);
    await expect(ada.page.getByRole('heading', { name: place }).first()).toBeVisible();
    await look({ page: ada.page, name: place.toLowerCase(), folder: KEPT ?? info.outputPath() });
  });
}

test('a call', async ({}, info) => {
  await ada.goTo('Chats');
  await ada.page.getByRole('link', { name: /Ben Okafor/ }).click();
  await ada.page.getByRole('button', { name: 'Start video call' }).click();
  await expect(ben.page.getByRole('button', { name: 'Accept' })).toBeVisible();
  // It rings for 45 seconds only.
  await look({
    page: ben.page,
    name: 'incoming-call',
    folder: KEPT ?? info.outputPath(),
    sizes: { laptop: SIZES.laptop },
  });
  await ben.page.getByRole('button', { name: 'Accept' }).click();
  await expectMovingPicture(ada.tile(ben));
  await look({ page: ada.page, name: 'call', folder: KEPT ?? info.outputPath() });
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
