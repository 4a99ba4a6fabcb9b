import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startServerProcess } from './testing/server-process.ts';

const MB = 1_048_576;

/** Says on standard error, on SIGUSR2, which modules were loaded and how large the space for new objects is. */
const PROBE = `
  import { registerHooks } from 'node:module';
  import { getHeapSpaceStatistics } from 'node:v8';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  process.on('SIGUSR2', () => {
    const space = getHeapSpaceStatistics().find((each) => each.space_name === 'new_space');
    process.stderr.write('PROBE ' + JSON.stringify({ loaded, bytes: space.space_size }) + '\\n', () => process.exit(0));
  });`;

async function probeIdleServer(): Promise<{ loaded: string[]; bytes: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'teahouse-start-'));
  try {
    const server = await startServerProcess(dataDir, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PROBE)}`,
    });
    const closed = once(server.process, 'close');
    server.process.kill('SIGUSR2');
    await closed;
    return JSON.parse(/^PROBE (.*)$/m.exec(server.output.log)?.[1] ?? 'null');
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

it('an idle server holds little for new objects, and nothing of PostgreSQL or the command line', async () => {
  const { loaded, bytes } = await probeIdleServer();
  expect(
    loaded.some((url) => url.endsWith('/server/run.ts')),
    'the probe sees modules',
  ).toBe(true);
  expect(loaded.filter((url) => /\/node_modules\/pg\/|\/server\/(cli\/|store\/postgres\.ts)/.test(url))).toEqual([]);
  expect(bytes).toBeLessThanOrEqual(4 * MB);
});

it('the space for new objects grows under load once the server has started', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'young-generation.ts'));
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { holdYoungGeneration } from ${module};
    const size = () => getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size;
    const load = () => { let kept = []; for (let i = 0; i < 3e6; i++) { kept.push({ i }); if (i % 3e5 === 0) kept = []; } };
    const letGrow = holdYoungGeneration();
    load();
    const held = size();
    letGrow();
    load();
    console.log(JSON.stringify({ held, grown: size() }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const { held, grown } = JSON.parse(stdout);
  // Not a bound in bytes: what survives all at once may need more than the first size even while it is held.
  expect(grown).toBeGreaterThan(4 * held);
});
