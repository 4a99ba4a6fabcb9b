import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

/** As long as the setting's default, and a day. Microseconds, as positions are. */
const LONG_AGO = 91 * 24 * 3600 * 1_000_000;

let server: TestServer;
let ada: Person;
let ben: Person;

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
});

test.afterAll(async () => {
  await ada?.close();
  await ben?.close();
  await server?.stop();
});

/** How many messages the server keeps. */
function waiting(): number {
  const database = new DatabaseSync(join(server.data, 'teahouse.db'), { readOnly: true });
  try {
    return database.prepare('select count(*) as count from messages').get()?.count as number;
  } finally {
    database.close();
  }
}

test('who comes back after the days that messages are kept reads what is missing, until it was dismissed', async () => {
  const [first, second] = await server.invite(2);
  await ada.signUp(first!);
  await ben.signUp(second!);
  ben.line.cut();
  await ada.openChatWith(ben);
  await ada.say('Too early');
  await ada.say('Too early again');
  await expect.poll(waiting).toBe(2);
  await server.kill();
  const database = new DatabaseSync(join(server.data, 'teahouse.db'));
  database.exec(
    `update messages set position = position - ${LONG_AGO}; update queue set position = position - ${LONG_AGO};`,
  );
  database.close();
  await server.start();

  await ada.say('In time');
  await expect.poll(waiting).toBe(1);
  ben.line.restore();
  const notice = ben.page.getByText('2 messages waited too long for this device');
  await expect(notice).toBeVisible({ timeout: 30_000 });
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await ben.sees('In time');
  await expect(ben.page.getByText('Too early')).toHaveCount(0);
  await ben.page.screenshot({ path: test.info().outputPath('notice.png') });
  await ben.page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(notice).toBeHidden();
  await ben.page.reload();
  await ben.sees('In time');
  await expect(notice).toBeHidden();
});
