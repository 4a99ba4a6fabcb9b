import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startServerProcess } from '../server/testing/server-process.ts';
import { report } from './report.ts';

/* What a server holds resident when nobody asks anything of it: its own process, and the media worker's apart. */

const SETTLE_MS = 8000;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'teahouse-bench-'));
  const environment = {
    TEAHOUSE_MEDIA_WORKERS: '1',
    ...(process.env.MEDIASOUP_WORKER_BIN ? { MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN } : {}),
  };
  const server = await startServerProcess(folder, environment);
  try {
    await delay(SETTLE_MS);
    const pid = server.process.pid ?? 0;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
    const workers = await Promise.all(children.map((child) => residentMb(child)));
    const bare = { name: 'bare Node process', value: await bareNodeMb(), unit: 'MB' };
    report({
      bench: 'server.idle.resident',
      value: await residentMb(String(pid)),
      unit: 'MB',
      target: 150,
      lowerIsBetter: true,
      limit: bare,
    });
    report({
      bench: 'server.idle.media_worker',
      value: workers.reduce((sum, mb) => sum + mb, 0),
      unit: 'MB',
      lowerIsBetter: true,
    });
  } finally {
    await server.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same measure of Node itself, doing nothing. */
async function bareNodeMb(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await delay(1000);
  const mb = await residentMb(String(child.pid));
  child.kill();
  return mb;
}

/** Resident set size, in MB of 1,048,576 bytes, as proc(5) tells it. */
async function residentMb(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

await main();
