/** What a person sees, and keeps, whose browser has no room left on the disk. */
import { join } from 'node:path';
import { chromium, expect, test } from '@playwright/test';
import { chromiumArguments } from '../playwright.config.ts';
import { findChromium } from '../scripts/lib/chromium.mjs';
import { type SmallDisk, smallDisk } from '../server/testing/small-disk.ts';
import { look } from './support/look.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

const SIZES = { small: { width: 360, height: 740 }, wide: { width: 1440, height: 900 } };
const FULL = /storage seems full.*new messages are shown/;

let disk: SmallDisk | null;
let server: TestServer | null = null;

test.beforeAll(() => {
  disk = smallDisk(300);
});

test.afterAll(async () => {
  await server?.stop();
  disk?.remove();
});

test('a full disk under the browser is said, loses nothing, and is over once there is room', async ({
  browser,
}, testInfo) => {
  test.skip(disk === null, 'A small file system can be mounted by root on Linux only.');
  const { path, fill, free } = disk!;
  server = await TestServer.start();
  const invitations = await server.invite(2);
  const start = () =>
    chromium.launchPersistentContext(join(path, 'profile'), {
      ...(findChromium() ? { executablePath: findChromium()! } : {}),
      args: chromiumArguments,
      locale: 'en-GB',
    });
  let context = await start();
  const ben = await Person.arrive(browser, 'Ben Okafor', server);
  let cai = new Person('Cai Lin', context, context.pages()[0]!, await server.line());
  try {
    await ben.signUp(invitations[0]!);
    await cai.signUp(invitations[1]!);
    await cai.openChatWith(ben);
    await cai.say('room enough');
    await ben.page.getByRole('link', { name: /Cai Lin/ }).click();
    await ben.sees('room enough');
    let banner = cai.page.getByRole('status').filter({ hasText: FULL });
    await expect(banner).toBeHidden();

    fill();
    // What Chromium holds in memory already may be enough for one message, but not for several.
    await expect(async () => {
      await ben.say(`to cai ${'y'.repeat(3000)}`);
      fill();
      await expect(banner).toBeVisible({ timeout: 2000 });
    }).toPass({ timeout: 30_000 });
    await ben.say('while it is full');
    await cai.say('kept in the field');
    await expect(cai.messageField).toHaveValue('kept in the field');
    await cai.page.getByRole('button', { name: 'Send', exact: true }).click();
    await expect(cai.messageField).toHaveValue('kept in the field');
    await expect(cai.page.getByText(/unexpected happened/)).toHaveCount(0);
    await expect(cai.log.getByText('kept in the field')).toHaveCount(0);
    await look({ page: cai.page, name: 'disk-full', folder: testInfo.outputPath('look'), sizes: SIZES });

    free();
    await expect(banner).toBeHidden({ timeout: 60_000 });
    await cai.sees('while it is full');
    await cai.page.getByRole('button', { name: 'Send', exact: true }).click();
    await ben.sees('kept in the field');

    // A disk that is full already mostly reads well: it is said at the start all the same, and passes by itself.
    fill();
    await cai.page.reload();
    const nothingOpens = cai.page.getByRole('heading', { name: /cannot store anything/ });
    await expect(banner.or(nothingOpens)).toBeVisible();
    free();
    await expect(cai.log.getByText('while it is full')).toBeVisible({ timeout: 60_000 });
    await expect(banner).toBeHidden({ timeout: 60_000 });

    // Chromium throws a database away whose log was torn and written on: account, keys and history.
    await context.close();
    context = await start();
    cai = new Person('Cai Lin', context, context.pages()[0]!, cai.line);
    banner = cai.page.getByRole('status').filter({ hasText: FULL });
    await cai.open();
    await cai.page.getByRole('link', { name: /Ben Okafor/ }).click();
    await cai.say('all is well');
    await ben.sees('all is well');
    await cai.sees('while it is full');
    await expect(banner).toBeHidden();
  } finally {
    free();
    await context.close();
    await ben.close();
  }
});
