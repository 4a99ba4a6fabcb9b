import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

test('a guest reads what a guest may not do, and signs out', async ({ browser }) => {
  const server = await TestServer.start();
  const [link] = await server.invite(1, 'guest');
  const guest = await Person.arrive(browser, 'Gil Guest', server);
  const faults: string[] = [];
  guest.page.on('pageerror', ({ message }) => faults.push(message));
  guest.page.on('console', (message) => (message.type() === 'error' ? faults.push(message.text()) : undefined));
  await guest.open(link!);
  await expect(guest.page.getByText('Guests cannot chat or call yet.')).toBeVisible();
  await guest.page.getByLabel('Display name', { exact: true }).fill(guest.name);
  await guest.page.getByLabel('Username', { exact: true }).fill(guest.username);
  await guest.page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await guest.page.getByRole('button', { name: 'Create account' }).click();
  await expect(guest.page.getByRole('heading', { name: 'You are signed in as Gil Guest, a guest' })).toBeVisible();
  await expect(guest.page.getByRole('navigation')).toHaveCount(0);
  await guest.page.screenshot({ path: test.info().outputPath('guest.png') });
  const before = guest.wire.length;
  await guest.page.reload();
  await expect(guest.page.getByRole('heading', { name: 'You are signed in as Gil Guest, a guest' })).toBeVisible();
  await expect.poll(() => guest.wire.slice(before).some((one) => one.includes('"resumed"'))).toBe(true);
  // Long enough for what is asked after the welcome to be refused.
  await guest.page.waitForTimeout(1_000);
  expect(guest.wire.slice(before).filter((one) => one.includes('"error"'))).toEqual([]);
  expect(faults).toEqual([]);
  await guest.page.getByRole('button', { name: 'Sign out' }).click();
  await expect(guest.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await server.stop();
});
