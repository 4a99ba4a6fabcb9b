import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A program that says its id and, asked to end, how often it was asked. */
const PROGRAM = `
let asked = 0;
process.on('SIGTERM', () => { asked += 1; setTimeout(() => { console.log('asked ' + asked); process.exit(0); }, 200); });
process.on('SIGINT', () => { asked += 10; });
console.log('pid ' + process.pid);
setInterval(() => {}, 1000);
`;

const PARENT = `
import { Children, exitCode } from ${JSON.stringify(pathToFileURL(here('children.mjs')).href)};
const children = new Children();
children.endOnSignal();
const args = ['--import', ${JSON.stringify(pathToFileURL(here('end-with-parent.mjs')).href)}, '-e', ${JSON.stringify(PROGRAM)}];
const child = children.start(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
process.exitCode = await exitCode(child);
`;

async function startParent() {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  parent.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!/pid \d+\n/.test(output)) await sleep(20);
  const pid = Number(/pid (\d+)/.exec(output)?.[1]);
  return { parent, pid, output: () => output };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('Ctrl-C, which npm passes on a second time, asks the program once and ends well', async () => {
  const { parent, pid, output } = await startParent();
  parent.kill('SIGINT');
  parent.kill('SIGINT');
  const [code] = await once(parent, 'close');
  expect(code).toBe(0);
  expect(output()).toContain('asked 1\n');
  expect(isRunning(pid)).toBe(false);
});

test('a program does not outlive a parent that was killed', async () => {
  const { parent, pid } = await startParent();
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  for (let waited = 0; isRunning(pid) && waited < 5000; waited += 50) await sleep(50);
  expect(isRunning(pid)).toBe(false);
});
