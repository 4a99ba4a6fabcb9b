/** What people see when something is not as it should be: each screen in its sizes and schemes, and what it offers. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, type Page, test, type TestInfo } from '@playwright/test';
import { CloseCode } from '../protocol/frames.ts';
import { look, SIZES } from './support/look.ts';
import { Meddler } from './support/meddle.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

const { small, laptop } = SIZES;
const UNSIGNED = 'profile_payload = null, profile_signature = null, profile_version = null';
const VAULT = /assets\/worker-.*\.js$/;

let server: TestServer;
let invitations: string[];
let ada: Person;
let ben: Person;
let line: Meddler;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  invitations = await server.invite(4, 'admin');
  // Somebody whose name nobody has signed: it changes as the server says.
  const eva = await Person.arrive(browser, 'Eva Plain', server);
  await eva.signUp(invitations[3]!);
  await eva.close();
  tamper(`update accounts set ${UNSIGNED} where username = '${eva.username}'`);
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  line = await Meddler.between(ada.page);
  await ada.signUp(invitations[0]!);
  await ben.signUp(invitations[1]!);
});

test.afterAll(async () => {
  for (const person of [ada, ben]) await person?.close();
  await server?.stop();
});

async function see(page: Page, name: string, info: TestInfo): Promise<void> {
  await look({ page, name, folder: info.outputPath(), sizes: { small, laptop } });
}

/** What a server that is in other hands does to its own data. */
function tamper(sql: string): void {
  const db = new DatabaseSync(join(server.data, 'teahouse.db'));
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

test('links that lead nowhere: whoever may try again is offered that, and nobody else', async ({ browser }, info) => {
  const guest = await Person.arrive(browser, 'Eve', server);
  const { page } = guest;
  const meddler = await Meddler.between(page);
  const again = page.getByRole('button', { name: 'Try again' });
  await guest.open(invitations[0]);
  await expect(page.getByRole('heading', { name: 'This invitation does not work' })).toBeVisible();
  await expect(again).toHaveCount(0);
  await see(page, 'invitation-used', info);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome to Teahouse' })).toBeVisible();
  await guest.open(`#/reset/${'A'.repeat(43)}`);
  await expect(page.getByRole('heading', { name: 'This link does not work' })).toBeVisible();
  await expect(again).toHaveCount(0);

  meddler.meddle('accounts.checkInvitation', { code: 'unavailable' });
  await guest.open(invitations[2]);
  await expect(again).toBeVisible();
  meddler.meddle('accounts.checkInvitation', 'wait');
  await again.click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const filled = await page
    .getByRole('progressbar')
    .evaluate((track) => (track.firstElementChild?.clientWidth ?? 0) / track.clientWidth);
  expect(filled, 'at rest it claims no share').toBe(1);
  meddler.let('accounts.checkInvitation');
  await expect(page.getByRole('button', { name: 'Create account' })).toBeVisible();
  await guest.close();
});

test('a browser without storage, and a server of another time', async ({ browser }, info) => {
  const full = await Person.arrive(browser, 'Full Disk', server);
  await full.page.addInitScript(() => (IDBFactory.prototype.databases = () => Promise.reject(new Error('refused'))));
  await full.context.route(VAULT, async (route) => {
    const response = await route.fetch();
    const refuse = 'IDBFactory.prototype.open = () => { throw new DOMException("full", "QuotaExceededError"); };';
    await route.fulfill({ response, body: `${refuse}${await response.text()}` });
  });
  await full.open();
  await expect(full.page.getByRole('heading', { name: 'cannot store anything' })).toBeVisible();
  await see(full.page, 'storage-failed', info);
  await full.close();

  const late = await Person.arrive(browser, 'Too Late', server);
  const meddler = await Meddler.between(late.page);
  meddler.meddle('hello', { code: 'protocol_unsupported', details: { min: 8, max: 9 } });
  await late.open();
  await expect(late.page.getByRole('heading', { name: 'An update is needed' })).toBeVisible();
  await see(late.page, 'unsupported', info);
  await late.close();
});

test('a dialog stays while its work is under way, and what was made in it is still there afterwards', async ({}, info) => {
  const { page } = ada;
  await page.goto(`${ada.line.origin}/#/settings/people`);
  await page.getByRole('button', { name: 'Manage Ben Okafor' }).click();
  await page.getByRole('button', { name: 'Make a link' }).click();
  const link = await page.getByText('#/reset/').textContent();
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  const asked = page.getByRole('dialog', { name: 'Suspend Ben Okafor?' });
  line.meddle('accounts.suspend', 'wait');
  await asked.getByRole('button', { name: 'Suspend' }).click();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press('Escape');
  await expect(asked).toBeVisible();
  await expect(asked.getByRole('button', { name: 'Cancel' })).toBeDisabled();
  line.meddle('accounts.suspend', { code: 'unavailable' });
  await line.close(1006);
  await expect(asked.getByRole('alert')).toBeVisible({ timeout: 40_000 });
  await see(page, 'suspending-failed', info);
  line.let('accounts.suspend');
  await asked.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText(link!)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Suspend', exact: true })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('what the server does not answer leaves the lists as they are', async ({}, info) => {
  const { page } = ada;
  await page.goto(`${ada.line.origin}/#/settings/sessions`);
  await expect(page.getByText('This session')).toBeVisible();
  line.meddle('accounts.sessions', { code: 'unavailable' });
  line.meddle('accounts.people', { code: 'unavailable' });
  await page.getByLabel('Search names and usernames').fill('a');
  ada.line.drop();
  await expect(page.getByText('busy or restarting')).toHaveCount(2);
  await expect(page.getByText('This session')).toBeVisible();
  await expect(page.getByRole('list', { name: 'People' }).getByRole('listitem')).toHaveCount(3);
  await see(page, 'lists-not-answered', info);
  line.let('accounts.sessions');
  line.let('accounts.people');
});

test('a device that asks is answered by a button alone, and ending its session is asked first', async ({
  browser,
}, info) => {
  const { page } = ada;
  const second = await Person.arrive(browser, 'Ada Byron', server);
  await second.open();
  await second.signIn();
  const asks = page.getByRole('dialog', { name: 'A device asks to be linked' });
  await expect(asks).toBeVisible();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press('Escape');
  await expect(asks).toBeVisible();
  await asks.getByRole('button', { name: 'Not now' }).click();
  await ada.goTo('Chats');
  await ada.goTo('Settings');
  await page.getByRole('button', { name: 'End session of' }).click();
  await see(page, 'ending-a-session', info);
  const asked = page.getByRole('dialog', { name: 'End session of' });
  await asked.getByRole('button', { name: 'End session' }).click();
  await expect(asked).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'End session of' })).toHaveCount(0);
  await expect(second.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Review' }), 'its request has gone with it').toHaveCount(0);
  await second.close();
});

test('who is not the one that asks to be linked is told what it means, and what to do', async ({ browser }, info) => {
  const { page } = ada;
  const thief = await Person.arrive(browser, 'Ada Byron', server);
  await thief.open();
  await thief.signIn();
  await expect(thief.page.getByText('No device left on which you use Teahouse?')).toBeVisible();
  await see(thief.page, 'linking', info);
  const asks = page.getByRole('dialog', { name: 'A device asks to be linked' });
  await asks.getByRole('button', { name: 'Not mine' }).click();
  const told = page.getByRole('dialog', { name: 'Somebody knows your password' });
  await expect(told).toBeVisible();
  await see(page, 'not-mine', info);
  await expect(page.getByRole('button', { name: 'Review' })).toHaveCount(0);
  await told.getByRole('button', { name: 'End that session' }).click();
  await expect(told.getByText('That session was ended.')).toBeVisible();
  await expect(thief.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await told.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await dialog.getByLabel('Current password', { exact: true }).fill('a quiet cup of tea');
  await dialog.getByLabel('New password', { exact: true }).fill('a quiet cup of tea');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByText('That is your current password.')).toBeVisible();
  await see(page, 'same-password', info);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await thief.close();
});

test('the first field that is wrong has the focus', async () => {
  const { page } = ada;
  await page.goto(`${ada.line.origin}/#/settings/password`);
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password', { exact: true }).fill('a quiet cup of tea');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByLabel('New password', { exact: true })).toBeFocused();
  await page.keyboard.press('Escape');
});

test('other keys and other names are said at once', async ({}, info) => {
  const { page } = ada;
  await ada.goTo('Chats');
  await ada.openChatWith(ben);
  await ada.say('Good morning');
  await expect(ada.log.getByLabel(/^(Sent|Delivered|Read)$/).last()).toBeVisible();
  line.meddle('chat.send', { code: 'queue_full', details: { users: [] } });
  await ada.say('One too many');
  await expect(ada.log.getByText('Not sent.')).toBeVisible();
  const mine = `(select user_id from accounts where username = '${ada.username}')`;
  const theirs = `(select user_id from accounts where username = '${ben.username}')`;
  tamper(`update device_lists set account_key = (select account_key from device_lists where user_id = ${mine})
    where user_id = ${theirs};
    update accounts set display_name = 'Chief Executive', ${UNSIGNED} where username = '${ben.username}';
    update accounts set display_name = 'Eva Anders' where username = 'eva.plain'`);
  await server.kill();
  await server.start();
  await expect(page.getByRole('status').getByText('shows another name for Ben Okafor')).toBeVisible();
  const db = new DatabaseSync(join(server.data, 'teahouse.db'), { readOnly: true });
  const userId = db.prepare(`select user_id from accounts where username = ?`).get(ben.username)?.['user_id'];
  db.close();
  line.meddle('chat.send', { code: 'devices_stale', details: { missing: [{ userId, deviceId: 77 }], gone: [] } });
  await ada.say('Are you there?');
  await expect(page.getByRole('alert').getByText('The keys of Ben Okafor')).toBeVisible();
  await see(page, 'keys-and-names', info);
  line.let('chat.send');
  await ada.goTo('Contacts');
  await page.getByRole('button', { name: 'Start chat with Eva Anders' }).click();
  await expect(page.getByRole('status').getByText('Eva Plain is now called Eva Anders.')).toBeVisible();
  await see(page, 'name-changed', info);
});

test('a page that cannot be drawn says so, and the others are in use', async ({}, info) => {
  const { page } = ben;
  await page.addInitScript(() =>
    Object.defineProperty(Notification, 'permission', {
      get() {
        throw new Error('refused');
      },
    }),
  );
  await page.goto(`${ben.line.origin}/#/settings`);
  await page.reload();
  const failure = page.getByRole('main').getByRole('alert');
  await expect(failure.getByRole('heading', { name: 'Something went wrong here', level: 1 })).toBeVisible();
  await see(page, 'page-contained', info);
  await ben.goTo('Contacts');
  await expect(page.getByRole('heading', { name: 'Contacts' })).toBeVisible();
});

test('what appears above all pages and is not to be had says so', async () => {
  const { page } = ben;
  await page.route(/assets\/Shortcuts-.*\.js$/, (route) => route.abort());
  await page.goto(`${ben.line.origin}/#/contacts`);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Contacts' })).toBeVisible();
  await page.keyboard.press('?');
  const said = page.getByRole('dialog', { name: 'Something went wrong here' });
  await expect(said).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(said).toHaveCount(0);
});

test('whoever did not sign out here is told why they are out', async ({}, info) => {
  const { page } = ada;
  await line.close(CloseCode.replaced);
  await expect(page.getByRole('heading', { name: 'This account was opened elsewhere' })).toBeVisible();
  await see(page, 'replaced', info);
  await page.getByRole('button', { name: 'Use here' }).click();
  await expect(page.getByRole('navigation')).toBeVisible();
  await ada.goTo('Settings');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in', exact: true })).toBeVisible();

  tamper(`delete from sessions where user_id = (select user_id from accounts where username = '${ben.username}')`);
  await ben.page.reload();
  await expect(ben.page.getByRole('heading', { name: 'You were signed out' })).toBeVisible();
  await see(ben.page, 'signed-out', info);
});
