import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toolScript } from '../lib/tools.mjs';

const plugin = fileURLToPath(new URL('import-table.mjs', import.meta.url));
let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'teahouse-lint-'));
  const config = {
    jsPlugins: [plugin],
    categories: { correctness: 'off' },
    rules: { 'teahouse/import-table': 'error' },
  };
  await write('.oxlintrc.json', JSON.stringify(config));
});

afterEach(() => rm(project, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), text);
}

/** Where the linter itself, on a project of these files, finds the rule broken. */
async function problems(files: Record<string, string>): Promise<string[]> {
  await Promise.all(Object.entries(files).map(([path, text]) => write(path, text)));
  const args = [toolScript('oxlint', 'oxlint'), '--format', 'unix'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: project }, (_error, stdout) => resolve(stdout));
  });
  const found = [...output.matchAll(/^(.+?:\d+):\d+: (.*) \[Error\/teahouse\(import-table\)\]$/gm)];
  return found.map((match) => match[1] ?? '').sort();
}

test('reports every way to import, in TypeScript and in components', async () => {
  const found = await problems({
    'server/a.ts': "import { seal } from '../crypto/seal.ts';\nexport const use = seal;\n",
    'server/b.ts': "export { seal } from '../crypto/seal.ts';\nexport * from '../crypto/open.ts';\n",
    'server/c.ts': "export const late = () => import('../crypto/seal.ts');\n",
    'server/d.ts': "import type { Key } from '../crypto/key.ts';\nexport type Use = Key;\n",
    'renderer/ui/Button.svelte':
      '<script lang="ts">\n  import { chat } from \'../modules/chat/index.ts\';\n</script>\n{chat}\n',
    'electron/shell/menu.ts': "import * as electron from 'electron';\nelectron.ipcMain.handle('x', () => 1);\n",
  });
  expect(found).toEqual([
    'electron/shell/menu.ts:2',
    'renderer/ui/Button.svelte:2',
    'server/a.ts:1',
    'server/b.ts:1',
    'server/b.ts:2',
    'server/c.ts:1',
    'server/d.ts:1',
  ]);
});

test('has nothing against what the table allows', async () => {
  const found = await problems({
    'server/a.ts': "import { UserId } from '../protocol/ids.ts';\nexport const use = UserId;\n",
    'server/sfu/room.ts': "import * as mediasoup from 'mediasoup';\nexport const use = mediasoup;\n",
    'renderer/crypto/worker.ts': "import Worker from './other.ts?worker';\nexport const use = Worker;\n",
    'electron/main.ts':
      "import * as electron from 'electron';\nexport const options = { ipcMain: electron.ipcMain };\n",
    'electron/ipc/router.ts': "import { ipcMain } from 'electron';\nipcMain.handle('x', () => 1);\n",
  });
  expect(found).toEqual([]);
});
