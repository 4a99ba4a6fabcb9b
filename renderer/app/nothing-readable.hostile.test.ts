import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HeadlessClient, PASSWORD, until } from '../testing/headless-client.ts';
import { ListeningLine } from '../testing/listening-line.ts';
import { ServerProcess } from '../testing/server-process.ts';

/* What somebody has who takes the server's folder and its log, or reads what passes over the line. */

const WAITING = 'the vault opens at nine, bring the blue folder';
const DELIVERED = 'never write this down anywhere else';

let server: ServerProcess;
let line: ListeningLine;
let ada: HeadlessClient;
let ben: HeadlessClient;
/** Ben's. */
let invitation: string;

beforeAll(async () => {
  server = await ServerProcess.start({ TEAHOUSE_LOG_LEVEL: 'trace' });
  line = await ListeningLine.start(server.origin);
  ada = await HeadlessClient.join(line.origin, server.invitation, 'ada');
  const [link] = await ada.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  invitation = link?.split('/').at(-1) ?? '';
  ben = await HeadlessClient.join(line.origin, invitation, 'ben');
}, 60_000);
afterAll(async () => {
  for (const client of [ada, ben]) client?.close();
  await line?.close();
  await server?.dispose();
});

/** A text as it would stand in a file or a frame: in UTF-8 or UTF-16, as hex, or as base64 wherever it begins. */
function spellings(text: string): Buffer[] {
  const utf8 = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), utf8]).toString('base64');
    // The first and the last digits hold bits of what stands beside it.
    return Buffer.from(whole.slice(shift === 0 ? 0 : 4, -4));
  });
  return [utf8, Buffer.from(text, 'utf16le'), Buffer.from(utf8.toString('hex')), ...base64];
}

async function stored(): Promise<Buffer> {
  const names = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

const found = (where: Buffer, text: string) => spellings(text).some((spelling) => where.includes(spelling));

it('neither the line, nor the server’s folder, nor its log holds a word of a message', async () => {
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
  await ada.chat.send(DELIVERED);
  await until(() => ben.texts().includes(DELIVERED), 'the message is there');
  ben.network = false;
  await ada.chat.send(WAITING);
  await until(() => ada.states().at(-1) === 'sent', 'the message waits on the server');

  const heard = Buffer.from(line.heard.join('\n'));
  const folder = await stored();
  const log = Buffer.from(server.log.join('\n'));
  // The search finds what is there: names are known to the server, and the message was sent.
  expect(found(folder, 'ada')).toBe(true);
  expect(heard.includes('chat.send')).toBe(true);
  expect(log.length).toBeGreaterThan(0);
  for (const text of [DELIVERED, WAITING]) {
    expect([found(heard, text), found(folder, text), found(log, text)]).toEqual([false, false, false]);
  }
  // Passwords and session tokens do pass the line, which is TLS's to protect, but stay nowhere.
  const tokens = line.heard.flatMap((frame) => frame.match(/(?<="session":")[\w-]{43}(?=")/g) ?? []);
  expect(tokens.length).toBeGreaterThan(0);
  for (const secret of [PASSWORD, invitation, ...tokens]) {
    expect([found(folder, secret), found(log, secret)]).toEqual([false, false]);
  }

  ben.network = true;
  await until(() => ben.texts().includes(WAITING), 'the message that waited is there');
}, 60_000);
