import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError } from './config.ts';
import { startTestServer } from './testing/test-server.ts';

const GB = 1_000_000_000;
/** A busy machine is no failure. */
const PATIENT = { timeout: 30_000 };

async function warningsWith(megabytes: string | undefined, free: number, total: number): Promise<unknown> {
  const data = await mkdtemp(join(tmpdir(), 'teahouse-min-free-'));
  const asked = megabytes === undefined ? {} : { TEAHOUSE_MIN_FREE_MB: megabytes };
  try {
    const server = await startTestServer(
      { diskSpace: async () => ({ free, total }) },
      { TEAHOUSE_DATA: data, ...asked },
    );
    const base = `http://127.0.0.1:${server.port}`;
    const metrics = async () => (await fetch(`${base}/metrics`)).text();
    await expect.poll(metrics, PATIENT).toMatch(/^teahouse_disk_free_bytes \d/m);
    const ready = (await (await fetch(`${base}/readyz`)).json()) as { warnings?: unknown };
    await server.close();
    return ready.warnings;
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

it.each([
  ['asked for on a disk of 100 GB', '20000', 19 * GB, 100 * GB, ['storage_full']],
  ['asked for on a disk of 100 GB, and there', '20000', 21 * GB, 100 * GB, undefined],
  ['asked for on a disk of 2 GB', '512', 0.4 * GB, 2 * GB, ['storage_full']],
  ['usual on a disk of 2 GB', undefined, 0.4 * GB, 2 * GB, undefined],
  ['usual on a disk of 100 GB', undefined, 0.4 * GB, 100 * GB, ['storage_full']],
  ['nothing, as asked for', '0', 1_000_000, 100 * GB, undefined],
])('leaves free what is %s', async (_, megabytes, free, total, warnings) => {
  expect(await warningsWith(megabytes, free, total)).toEqual(warnings);
});

it('refuses to start where more is asked for than the disk has', async () => {
  const refused = warningsWith('2000', GB, 2 * GB);
  await expect(refused).rejects.toThrow(ConfigError);
  await expect(refused).rejects.toThrow(
    /^TEAHOUSE_MIN_FREE_MB: 2000 MB cannot stay free on the disk of .*, which has 2000 MB in all\. Ask for less/,
  );
});
