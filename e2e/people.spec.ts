import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

const PASSWORD = 'a quiet cup of tea';
const OTHER = 'a louder cup of tea';

let server: TestServer;
let ada: Person;
let ben: Person;

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  const [first, second, third] = await server.invite(3, 'admin');
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  const cleo = await Person.arrive(browser, 'Cleo Nováková-Ångström', server);
  await ada.signUp(first!);
  await ben.signUp(second!);
  await cleo.signUp(third!);
  await cleo.close();
});
test.afterAll(async () => {
  await ada?.close();
  await ben?.close();
  await server?.stop();
});

test('an administrator suspends somebody, takes it back, and gives a link to a new password', async ({}, info) => {
  const { page } = ada;
  await page.goto(`${ada.line.origin}/#/settings/people`);
  await expect(page.getByRole('list', { name: 'People' }).getByRole('listitem')).toHaveCount(3);
  await page.getByLabel('Search names and usernames').fill('okaf');
  await expect(page.getByRole('list', { name: 'People' }).getByRole('listitem')).toHaveCount(1);
  await page.getByLabel('Search names and usernames').fill('');
  await look({ page, name: 'people', folder: info.outputPath() });

  await page.getByRole('button', { name: 'Manage Ben Okafor' }).click();
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  const asked = page.getByRole('dialog', { name: 'Suspend Ben Okafor?' });
  await asked.getByRole('button', { name: 'Suspend' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(ben.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await ben.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await ben.page.getByRole('button', { name: 'Sign in' }).click();
  await expect(ben.page.getByText('This account is suspended.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('Suspended', { exact: false })).toHaveCount(0);

  await page.getByRole('button', { name: 'Manage Ben Okafor' }).click();
  await page.getByRole('button', { name: 'Make a link' }).click();
  const link = await page.getByText('#/reset/').textContent();
  await look({ page, name: 'manage', folder: info.outputPath() });
  await page.getByRole('button', { name: 'Close' }).click();

  await ben.page.goto(`${ben.line.origin}/${new URL(link ?? '').hash}`);
  await expect(ben.page.getByText('For @ben.okafor')).toBeVisible();
  expect(ben.page.url(), 'the token is not shown').not.toContain('reset');
  await look({ page: ben.page, name: 'reset', folder: info.outputPath() });
  await ben.page.getByLabel('New password', { exact: true }).fill(OTHER);
  await ben.page.getByRole('button', { name: 'Set password' }).click();
  await expect(ben.page.getByRole('heading', { name: 'Your password is set' })).toBeVisible();
  await ben.page.getByRole('button', { name: 'Continue' }).click();
  await expect(ben.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('a person changes the password', async ({}, info) => {
  const { page } = ada;
  await page.goto(`${ada.line.origin}/#/settings/password`);
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password', { exact: true }).fill('not this one');
  await dialog.getByLabel('New password', { exact: true }).fill(OTHER);
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByText('not your current password')).toBeVisible();
  await look({ page, name: 'password', folder: info.outputPath() });
  await dialog.getByLabel('Current password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('Password changed.')).toBeVisible();
});
