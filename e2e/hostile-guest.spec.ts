import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

test('a guest reads what a guest may not do, and signs out', async ({ browser }) => {
  const server = await TestServer.start();
  const [link] = await server.invite(1, 'guest');
  const guest = await Person.arrive(browser, 'Gil Guest', server);
  await guest.open(link!);
  await expect(guest.page.getByText('Guests cannot chat or call yet.')).toBeVisible();
  await guest.page.getByLabel('Display name', { exact: true }).fill(guest.name);
  await guest.page.getByLabel('Username', { exact: true }).fill(guest.username);
  await guest.page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await guest.page.getByRole('button', { name: 'Create account' }).click();
  await expect(guest.page.getByRole('heading', { name: 'You are signed in as Gil Guest, a guest' })).toBeVisible();
  await expect(guest.page.getByRole('navigation')).toHaveCount(0);
  await guest.page.screenshot({ path: test.info().outputPath('guest.png') });
  await guest.page.getByRole('button', { name: 'Sign out' }).click();
  await expect(guest.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await server.stop();
});
