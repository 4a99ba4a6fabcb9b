import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULT_EXIT_CODE } from './last-resort.ts';
import { startServerProcess } from './testing/server-process.ts';
import { SocketClient } from './testing/socket-client.ts';

const SECRET = 'the-secret-word';

/** Makes the process throw, or reject, in a place where nothing catches it, once it gets SIGUSR2. */
function faultOnSignal(statement: string): Record<string, string> {
  const source = `process.on('SIGUSR2',()=>setTimeout(()=>{${statement}}))`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}`, TEST_SECRET: SECRET };
}

it.each([
  ['an error', 'throw new Error(process.env.TEST_SECRET)'],
  ['a rejection', 'Promise.reject(new Error(process.env.TEST_SECRET))'],
])('%s that nothing catches is logged without its words, and ends the process in order', async (_, statement) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'teahouse-fault-'));
  const server = await startServerProcess(dataDir, faultOnSignal(statement));
  const client = await SocketClient.connect(server.base);
  await client.hello();
  const exited = once(server.process, 'close');
  server.process.kill('SIGUSR2');
  expect(await client.closed, 'connections are closed as at any end').toBe(1001);
  expect((await exited)[0]).toBe(FAULT_EXIT_CODE);
  expect(server.output.log).toContain('a fault that nothing caught');
  expect(server.output.log).not.toContain(SECRET);
  await rm(dataDir, { recursive: true, force: true });
});
