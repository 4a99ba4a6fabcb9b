/** Where somebody could be left without a word, or without a way on: what is said there, and what is offered. */
import { expect, type Page, test, type TestInfo } from '@playwright/test';
import { look, SIZES } from './support/look.ts';
import { expectMovingPicture } from './support/media.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

const { small, laptop } = SIZES;

let server: TestServer;
let invitations: string[];
let ada: Person;
let ben: Person;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  invitations = await server.invite(2, 'admin');
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  await ada.signUp(invitations[0]!);
});

test.afterAll(async () => {
  for (const person of [ada, ben]) await person?.close();
  await server?.stop();
});

async function see(page: Page, name: string, info: TestInfo): Promise<void> {
  await look({ page, name, folder: info.outputPath(), sizes: { small, laptop } });
}

const hasFocus = (page: Page) => page.evaluate(() => document.activeElement !== document.body);

test('the first administrator, alone, is led to the invitations', async ({}, info) => {
  const { page } = ada;
  await ada.goTo('Contacts');
  await expect(page.getByRole('button', { name: 'Invite colleagues' })).toBeVisible();
  await see(page, 'contacts-alone', info);
  await ada.goTo('Chats');
  await page.getByRole('button', { name: 'New chat' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New chat' });
  await expect(dialog.getByText('There is nobody else to choose yet.')).toBeVisible();
  await see(page, 'new-chat-alone', info);
  await dialog.getByLabel('Find people').fill('zz');
  await expect(dialog.getByText('Nobody of that name.')).toBeVisible();
  await dialog.getByLabel('Find people').fill('');
  await dialog.getByRole('button', { name: 'Invite colleagues' }).click();
  await expect(dialog, 'the page beneath has changed').toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Create invitations' })).toBeInViewport();
  expect(await hasFocus(page)).toBe(true);
  await page.getByLabel('Role').selectOption('guest');
  await expect(page.getByText('Guests can only sign in')).toBeVisible();
  await see(page, 'invite-guest', info);
});

test('a call that is lost because the server was started anew is told, and the focus is somewhere', async ({}, info) => {
  await ben.signUp(invitations[1]!);
  await ada.goTo('Chats');
  await ada.openChatWith(ben);
  await ada.page.getByRole('button', { name: 'Start video call' }).click();
  await ada.page.getByRole('button', { name: 'Keep chatting' }).click();
  await expect(ada.log.getByText('Ringing…')).toBeVisible();
  await ada.page.getByRole('button', { name: 'Return to the call' }).click();
  await ben.page.getByRole('button', { name: 'Accept' }).click();
  await expectMovingPicture(ada.tile(ben));
  await ada.page.getByRole('button', { name: 'Keep chatting' }).click();
  await expect(ada.log.getByText('Going on now')).toBeVisible();
  await ada.page.getByRole('button', { name: 'Return to the call' }).click();
  await server.kill();
  await server.start();
  await Promise.all(
    [ada, ben].map(({ page }) =>
      expect(page.getByText('The connection was lost, and the call with it.')).toBeVisible(),
    ),
  );
  await ada.page.screenshot({ path: info.outputPath('lost.png') });
  for (const { page } of [ada, ben]) expect(await hasFocus(page)).toBe(true);
});

test('leaving a call leaves the focus where it was, or on the page', async () => {
  await ada.page.getByRole('button', { name: 'Start voice call' }).click();
  await ada.page.getByRole('button', { name: 'Leave call' }).click();
  await expect(ada.page.getByRole('dialog')).toHaveCount(0);
  await expect.poll(() => hasFocus(ada.page)).toBe(true);
});

test('from right to left, names keep their beginning and nothing lies on the rail', async ({}, info) => {
  const { page } = ada;
  await page.setViewportSize({ width: 1024, height: 720 });
  await ada.goTo('Chats');
  await page.evaluate(() => (document.documentElement.dir = 'rtl'));
  await page.getByRole('link', { name: /Ben Okafor/ }).click();
  await ada.messageField.fill('');
  expect(await ada.messageField.evaluate((field) => getComputedStyle(field).direction)).toBe('rtl');
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await ben.page.getByRole('button', { name: 'Start voice call' }).click();
  const ring = page.getByRole('alertdialog', { name: 'Incoming call' });
  await expect(ring).toBeVisible();
  const heading = page.getByRole('heading', { name: 'Ben Okafor' });
  expect(await heading.evaluate((element) => getComputedStyle(element).direction)).toBe('ltr');
  const [name, username] = [await heading.boundingBox(), await page.getByText('@ben.okafor').first().boundingBox()];
  expect(name!.x + name!.width, 'beside the picture, as what is written below').toBeCloseTo(
    username!.x + username!.width,
    0,
  );
  await page.waitForTimeout(500);
  await page.screenshot({ path: info.outputPath('incoming-rtl.png') });
  expect((await ring.boundingBox())!.x).toBeLessThan(100);
  await ring.getByRole('button', { name: 'Decline' }).click();
  await page.evaluate(() => (document.documentElement.dir = 'ltr'));
});

test('to somebody who is suspended nothing is written; what was written before goes once they are back', async ({
  browser,
}, info) => {
  const { page } = ada;
  const admin = await Person.arrive(browser, 'Eva Anders', server);
  await admin.signUp((await server.invite(1, 'admin'))[0]!);
  const manage = async (button: string) => {
    await admin.page.goto(`${admin.line.origin}/#/settings/people`);
    await admin.page.getByRole('button', { name: 'Manage Ben Okafor' }).click();
    await admin.page.getByRole('button', { name: button, exact: true }).click();
    const asked = admin.page.getByRole('dialog', { name: /^Suspend Ben/ });
    if (button === 'Suspend') await asked.getByRole('button', { name: 'Suspend' }).click();
  };
  await ada.messageField.fill('Half a thought');
  // Written in the moment in which he is suspended: this device does not know yet.
  ada.line.cut();
  await ada.say('On its way');
  await ada.messageField.fill('Half a thought');
  await manage('Suspend');
  ada.line.restore();
  await expect(page.getByText('Ben Okafor is suspended. You can write and call again')).toBeVisible();
  await expect(ada.messageField).toHaveCount(0);
  await expect(page.getByText('Half a thought')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Start (voice|video) call$/ })).toHaveCount(0);
  await expect(page.getByText('It can be sent once an administrator lets them in.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Call again' })).toHaveCount(0);
  await see(page, 'suspended', info);
  await manage('Let in again');
  await expect(ada.messageField).toHaveValue('Half a thought');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(ada.log.getByLabel(/^(Sent|Delivered|Read)$/).last()).toBeVisible();
  await expect(ada.log.getByText('Not sent.')).toHaveCount(0);
  await admin.close();
});

test('a linked device says where the older messages are, and each device is told from the others', async ({
  browser,
}, info) => {
  const second = await Person.arrive(browser, 'Ada Byron', server);
  await second.open();
  await second.signIn();
  await ada.page.getByRole('button', { name: 'Approve' }).click();
  await expect(
    second.page.getByText(/^This device was linked on .* Messages from before are on your other devices/),
  ).toBeVisible();
  await see(second.page, 'linked-empty', info);
  await second.openChatWith(ben);
  await expect(
    second.page.getByText(/What you and Ben Okafor wrote before may be on your other devices only/),
  ).toBeVisible();
  await expect(second.page.getByText('This is the beginning')).toHaveCount(0);
  await see(second.page, 'linked-conversation', info);
  await ada.goTo('Settings');
  await expect(ada.page.getByText('Active now')).toBeVisible();
  await expect(ada.page.getByRole('button', { name: /^End session of .*, signed in \d/ })).toBeVisible();
  await expect(ada.page.getByRole('button', { name: /^Remove .*, added \d/ })).toBeVisible();
  await see(ada.page, 'devices', info);
  await second.close();
});
