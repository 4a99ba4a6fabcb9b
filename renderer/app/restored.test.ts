import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { ServerProcess } from '../testing/server-process.ts';

/* What people can do after an administrator put back an older copy of the data, as the README says. */

const COMMANDS = join(import.meta.dirname, '../../server/cli/main.ts');

let server: ServerProcess;
let backup: string;
const clients: HeadlessClient[] = [];

beforeEach(async () => {
  server = await ServerProcess.start({ TEAHOUSE_LOG_LEVEL: 'info' });
  backup = await mkdtemp(join(tmpdir(), 'teahouse-backup-'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.dispose();
  await rm(backup, { recursive: true, force: true });
});

const texts = ({ chat }: HeadlessClient) =>
  chat.messages.map(({ body }) => (body.kind === 'text' ? body.text : body.kind));

async function said(from: HeadlessClient, to: HeadlessClient, text: string): Promise<void> {
  await from.chat.open(to.userId);
  await to.chat.open(from.userId);
  await from.chat.send(text);
  await until(() => texts(to).includes(text), `${text} is read; there is ${texts(to).join(', ')}`);
}

async function online(): Promise<void> {
  await server.start();
  await Promise.all(clients.map((client) => client.online()));
}

it('old and new conversations go on', { timeout: 180_000 }, async () => {
  const ada = await HeadlessClient.join(server.origin, server.invitation, 'ada');
  clients.push(ada);
  const links = await ada.accounts.createInvitations({ count: 3, role: 'member', validHours: 1 });
  const join_ = async (link: string, name: string) => {
    const client = await HeadlessClient.join(server.origin, link.split('/').at(-1) ?? '', name);
    clients.push(client);
    return client;
  };
  const [ben, cai, dan] = [
    await join_(links[0] ?? '', 'ben'),
    await join_(links[1] ?? '', 'cai'),
    await join_(links[2] ?? '', 'dan'),
  ];
  await said(ada, ben, 'before the backup');
  await server.kill();
  await cp(server.dataDir, backup, { recursive: true });
  await online();
  // One of ben's one-time keys is used up, and what is sent after the backup has later positions.
  await said(cai, ben, 'first of cai');
  await said(ada, ben, 'after the backup');

  await server.kill();
  await rm(server.dataDir, { recursive: true });
  await cp(backup, server.dataDir, { recursive: true });
  const { stdout } = await promisify(execFile)(process.execPath, [COMMANDS, 'restored', '--data', server.dataDir]);
  expect(stdout).toMatch(/^\d{3} one-time keys are dropped/);
  await online();

  await said(dan, ben, 'first of dan');
  await said(ben, dan, 'answer to dan');
  await said(ada, ben, 'old conversation');
  await said(ben, cai, 'newer conversation');
  await until(() => server.log.some((line) => line.includes('"audit":"restored"')), 'it is in the log');
});
