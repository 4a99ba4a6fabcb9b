import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

/** Words that stand nowhere in the program, so that finding one means that a message leaked. */
const SECRETS = ['Gyokuro-Quittung', 'lapsang.souchong.7431', 'mittwochs um drei', '白毫银针的价格'];
/** Known to the server by design: finding it shows that the search would find the others. */
const KNOWN = 'Ada Byron';

test('neither the database, the log nor the wire holds a word that was written', async ({ browser }) => {
  const server = await TestServer.start();
  const [first, second] = await server.invite(2);
  const ada = await Person.arrive(browser, KNOWN, server);
  const ben = await Person.arrive(browser, 'Ben Okafor', server);
  await ada.signUp(first!);
  await ben.signUp(second!);
  await ada.openChatWith(ben);
  await ben.line.drop();
  for (const secret of SECRETS.slice(0, 2)) await ada.say(secret);
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  for (const secret of SECRETS.slice(0, 2)) await ben.sees(secret);
  // The last ones wait in the recipient's queue, so that the database holds messages while it is read.
  ben.line.cut();
  for (const secret of SECRETS.slice(2)) {
    await ada.say(secret);
    await ada.sees(secret);
  }
  await expect(ada.log.getByLabel('Sent', { exact: true }).last()).toBeVisible();

  const database = Buffer.concat(await filesBelow(server.data));
  expect(holds(database, KNOWN), 'the search itself works').toBe(true);
  const wire = Buffer.from([...ada.wire, ...ben.wire].join('\n'));
  expect(holds(wire, KNOWN), 'the capture itself works').toBe(true);
  for (const secret of SECRETS) {
    expect(holds(database, secret), `"${secret}" in the data folder`).toBe(false);
    expect(holds(wire, secret), `"${secret}" on the wire`).toBe(false);
    expect(holds(Buffer.from(server.output), secret), `"${secret}" in the log`).toBe(false);
  }
  await ada.close();
  await ben.close();
  await server.stop();
});

test('what a browser keeps on disk is sealed', async ({ playwright }, testInfo) => {
  const server = await TestServer.start();
  const [first, second] = await server.invite(2);
  const profile = testInfo.outputPath('profile');
  const { launchOptions } = testInfo.project.use;
  const context = await playwright.chromium.launchPersistentContext(profile, { ...launchOptions, locale: 'en-GB' });
  const ada = new Person(KNOWN, context, context.pages()[0]!, await server.line());
  const ben = await Person.arrive(
    context.browser() ?? (await playwright.chromium.launch(launchOptions)),
    'Ben Okafor',
    server,
  );
  await ada.signUp(first!);
  await ben.signUp(second!);
  await ada.openChatWith(ben);
  for (const secret of SECRETS) await ada.say(secret);
  await ada.sees(SECRETS.at(-1)!);
  await ada.page.evaluate(() => localStorage.setItem('control', 'bergamot-control'));
  await ben.close();
  await context.close();
  const disk = Buffer.concat(await filesBelow(profile));
  expect(holds(disk, 'bergamot-control'), 'the search itself works').toBe(true);
  for (const secret of SECRETS) expect(holds(disk, secret), `"${secret}" on disk`).toBe(false);
  await server.stop();
});

async function filesBelow(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))),
  );
}

/** Looks for a text as UTF-8, UTF-16, JSON escapes, hex and base64 at each of its three alignments. */
function holds(haystack: Buffer, text: string): boolean {
  const utf8 = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), utf8]).toString('base64');
    // The first and last characters mix in neighbouring bytes, so only the inner part is certain.
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + utf8.length) * 4) / 3));
  });
  const escaped = JSON.stringify(text).replaceAll(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const needles = [utf8, Buffer.from(text, 'utf16le'), utf8.toString('hex'), escaped.slice(1, -1), ...base64];
  return needles.some((needle) => haystack.includes(needle));
}
