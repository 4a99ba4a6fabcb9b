import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

let server: TestServer;
let ada: Person;
let ben: Person;
let second: Person;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  second = await Person.arrive(browser, 'Ada Byron', server);
});

test.afterAll(async () => {
  for (const person of [ada, ben, second]) await person?.close();
  await server?.stop();
});

/** What a server that is in other hands does to its own data. */
function tamper(sql: string): void {
  const db = new DatabaseSync(join(server.data, 'teahouse.db'));
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** Waits for the request on the first device, and returns the code that it shows. */
async function codeOn(person: Person): Promise<string> {
  const dialog = person.page.getByRole('dialog');
  await expect(dialog.getByText(/^\d{5}/).first()).toBeVisible();
  return (await dialog.innerText()).match(/(\d{5}\s+){5}\d{5}/)![0].replaceAll(/\s+/g, ' ');
}

test('a second device is linked by comparing the code, and knows whom the first one knows', async () => {
  const invitations = await server.invite(2);
  await ada.signUp(invitations[0]!);
  await ben.signUp(invitations[1]!);
  await ada.openChatWith(ben);
  await ada.say('Before the second device');

  await second.open();
  await second.signIn();
  const code = await codeOn(ada);
  const page = second.page.getByRole('main');
  await expect(page).toContainText(/\d{5}/);
  const shown = (await page.innerText()).match(/(\d{5}\s+){5}\d{5}/)![0].replaceAll(/\s+/g, ' ');
  expect(shown).toBe(code);
  await ada.page.getByRole('button', { name: 'Approve' }).click();
  await expect(ada.page.getByRole('dialog')).toBeHidden();
  await expect(second.page.getByRole('navigation')).toBeVisible();
  await second.openChatWith(ben);
  await second.say('From the second device');
  await ada.sees('From the second device');
});

test('a name that the server swaps is not believed, and a warning says so', async () => {
  tamper(`update accounts set display_name = 'Chief Executive', profile_payload = null, profile_signature = null,
    profile_version = null where username = '${ben.username}'`);
  await server.kill();
  await server.start();
  for (const person of [ada, second]) {
    await expect(person.page.getByText(/shows another name for Ben Okafor/)).toBeVisible();
    await expect(person.page.getByRole('heading', { name: 'Ben Okafor' })).toBeVisible();
  }
  await ada.goTo('Contacts');
  await expect(ada.page.getByText('The server shows another name than the confirmed one')).toBeVisible();
  await expect(ada.page.getByText('Chief Executive')).toBeHidden();
});

test('a device that the server does not know any more asks before it gives up its keys', async () => {
  await ada.goTo('Settings');
  await ada.page.getByRole('button', { name: /^Remove / }).click();
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(second.page.getByLabel('Password', { exact: true })).toBeVisible();
  await second.signIn();
  const dialog = second.page.getByRole('dialog');
  await expect(dialog).toContainText('The server does not know this device');
  await dialog.getByRole('button', { name: 'Link this device anew' }).click();
  await codeOn(ada);
  await ada.page.getByRole('button', { name: 'Approve' }).click();
  await expect(second.page.getByRole('navigation')).toBeVisible();
});

test('a removal that the server does not publish is told in the settings, and holds until it does', async () => {
  tamper(`create trigger withhold before update on device_lists begin select raise(ignore); end`);
  await ada.goTo('Settings');
  await ada.page.getByRole('button', { name: /^Remove / }).click();
  const dialog = ada.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  const note = ada.page.getByText('The server does not publish your newest list of devices.');
  await expect(note).toBeVisible();
  await ada.page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(ada.page.getByRole('button', { name: /^Remove / })).toHaveCount(0);
  await expect(second.page.getByRole('navigation')).toBeVisible();
  await ada.page.reload();
  await ada.goTo('Settings');
  await expect(note).toBeVisible();
  // The server comes to its senses: nobody has to do it again.
  tamper('drop trigger withhold');
  await ada.page.reload();
  await expect(second.page.getByLabel('Password', { exact: true })).toBeVisible();
  await ada.goTo('Settings');
  await expect(ada.page.getByText('Each of these can read and write your messages.')).toBeVisible();
  await expect(note).toBeHidden();
});
