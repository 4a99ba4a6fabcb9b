import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAddress, writeAddress } from './address-file.ts';
import { ALREADY_RUNS_EXIT_CODE, claimFolder } from './claim-folder.ts';
import { readConfig } from './config.ts';
import { createLog } from './log.ts';
import { claimDataFolder, DataFolderHeldError } from './store/data-claim.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';

/* Two servers on one data folder would each serve half of the people: the second does not start. */

vi.setConfig({ testTimeout: 120_000 });
/** Ends what hangs; far longer than a start takes on a busy machine. Milliseconds. */
const PATIENCE = 60_000;

let data: string;
const running: ServerProcess[] = [];
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'teahouse-one-'));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.end('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

async function start(): Promise<ServerProcess> {
  const server = await startServerProcess(data);
  running.push(server);
  return server;
}

interface Ended {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
}

function run(program: string, argv: readonly string[], as?: number): Promise<Ended> {
  const env = { PATH: process.env.PATH, TEAHOUSE_MEDIA_WORKERS: '0' };
  const user = as === undefined ? {} : { uid: as, gid: as };
  const all = [join(import.meta.dirname, program), ...argv, '--data', data];
  return new Promise((resolve) => {
    execFile(process.execPath, all, { env, timeout: PATIENCE, ...user }, (error, out, err) => {
      resolve({ code: error ? error.code : 0, out, err });
    });
  });
}
const another = (as?: number) => run('main.ts', ['--port', '0'], as);
const invite = () => run('cli/main.ts', ['invite']);

describe('a second server', () => {
  it('says where the first is, ends with a code of its own, and changes nothing for the first', async () => {
    const first = await start();
    const { code, out, err } = await another();
    expect([code, out]).toEqual([ALREADY_RUNS_EXIT_CODE, '']);
    expect(err).toContain(`Teahouse runs already on this data folder, at ${first.base}. `);
    expect(err.trim()).not.toMatch(/\n/);
    expect((await invite()).out).toContain(`${first.base}/#/join/`);
    expect((await fetch(`${first.base}/readyz`)).status).toBe(200);
    expect(await first.end('SIGTERM')).toBe(0);
    expect(existsSync(join(data, 'server.json'))).toBe(false);
    expect((await start()).base).not.toBe('');
  });

  it('is refused beside a first that says nothing yet', async () => {
    const claim = claimDataFolder(data);
    const { code, err } = await another();
    claim.release();
    expect(code).toBe(ALREADY_RUNS_EXIT_CODE);
    expect(err).toMatch(/Teahouse runs already on this data folder, .*; it is starting or ending/);
  });

  it('starts where others start in the same moment, and the others do not', async () => {
    const all = await Promise.allSettled(Array.from({ length: 4 }, start));
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refused).toHaveLength(3);
    for (const words of refused) expect(words).toMatch(/ended with 78: Teahouse runs already/);
    expect((await invite()).out).toContain(`${running[0]?.base}/#/join/`);
  });
});

describe('a server that was killed', () => {
  it('leaves nothing locked: the next starts at once, however often', async () => {
    for (let i = 0; i < 4; i++) {
      const server = await start();
      expect((await invite()).out).toContain(server.base);
      await server.end('SIGKILL');
      expect(existsSync(join(data, 'server.json')), 'its address is left').toBe(true);
    }
  });

  it('is gone for the command line and the next server, though its process id is in use again', async () => {
    await (await start()).end('SIGKILL');
    const left = { origin: 'http://127.0.0.1:9', pid: process.pid, version: '0' };
    await writeFile(join(data, 'server.json'), JSON.stringify(left));
    expect((await invite()).err).toContain('No server is running');
    const { base } = await start();
    expect(JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))).toMatchObject({ origin: base });
  });
});

describe('a folder that cannot be claimed', () => {
  it.each([
    ['a foreign file is in the place of the lock', () => writeFile(join(data, 'server.lock'), 'x'.repeat(4096))],
    ['a folder is in the place of the lock', () => mkdir(join(data, 'server.lock'))],
  ])('is told in a sentence where %s', async (_, prepare) => {
    await prepare();
    const { code, err } = await another();
    expect(code).toBe(1);
    expect(err).toMatch(/is not the server’s\. Remove it|not possible to write in/);
    expect(err.trim()).not.toMatch(/\n/);
    expect(existsSync(join(data, 'teahouse.db')), 'nothing else was opened').toBe(false);
  });

  // Only the superuser may start a process as somebody else, and nothing stops the superuser from writing.
  it.skipIf(process.getuid?.() !== 0)('is told where the lock may be read only', async () => {
    const nobody = 65_534;
    await chown(data, nobody, nobody);
    await writeFile(join(data, 'server.lock'), '', { mode: 0o444 });
    const { code, err } = await another(nobody);
    expect(code).toBe(1);
    expect(err).toMatch(/not possible to write in .* owns it, or choose another with --data/);
    expect(err.trim()).not.toMatch(/\n/);
  });

  it('is no reason not to serve from PostgreSQL, which is told', async () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => void lines.push(line) });
    await mkdir(join(data, 'server.lock'));
    const env = { TEAHOUSE_DATA: data, DATABASE_URL: 'postgres://x@127.0.0.1:1/x' };
    expect(await claimFolder(readConfig([], env), log)).toBeNull();
    expect(lines.join('')).toContain('cannot be claimed');
  });
});

it('a claim in one process keeps that process out, too, and waits for whoever only looks', async () => {
  const claim = claimDataFolder(data);
  expect(() => claimDataFolder(data)).toThrow(DataFolderHeldError);
  claim.release();
  const looking = new DatabaseSync(join(data, 'server.lock'), { readOnly: true });
  looking.exec('begin; select 1 from sqlite_schema');
  const starting = start();
  setTimeout(() => looking.close(), 1500);
  await expect(starting).resolves.toMatchObject({ base: expect.stringContaining('http') as string });
});

it('the address is removed by whoever wrote it alone', async () => {
  const address = { origin: 'http://tea.test', pid: process.pid, version: 'test' };
  const removeFirst = await writeAddress(data, address);
  const removeSecond = await writeAddress(data, address);
  await removeFirst();
  expect(await readAddress(data)).toMatchObject(address);
  await removeSecond();
  expect(await readAddress(data)).toBeNull();
  await removeSecond();
});
