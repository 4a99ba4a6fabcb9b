import { extractFile, listPackage } from '@electron/asar';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { build, Platform, type Configuration } from 'electron-builder';
import { load } from 'js-yaml';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build as bundle } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import viteConfig from '../electron.vite.config.ts';

/**
 * Packages the app for Linux around a stand-in for Electron's files, offline: what the packager puts in and leaves out,
 * and the fuses, do not depend on the binary.
 */

const root = join(import.meta.dirname, '..');
/** Marks the place of the fuses in Electron's executable (@electron/fuses). */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

let folder: string;
const inApp = (...path: string[]) => join(folder, 'dist', 'linux-unpacked', ...path);
const asar = () => inApp('resources', 'app.asar');

async function write(path: string, content: string | Buffer = 'x'): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** Electron's files by name, and an executable whose fuses are as Electron ships them. */
async function standIn(electron: string, version: string): Promise<void> {
  const wire = Buffer.concat([Buffer.from(SENTINEL), Buffer.from([1, 9]), Buffer.from('101100011')]);
  await write(join(electron, 'electron'), Buffer.concat([Buffer.alloc(64), wire, Buffer.alloc(64)]));
  await chmod(join(electron, 'electron'), 0o755);
  await mkdir(join(electron, 'resources'));
  await write(join(electron, 'version'), version);
  for (const name of ['chrome-sandbox', 'LICENSE', 'LICENSES.chromium.html', 'locales/en-US.pak'])
    await write(join(electron, name));
}

/** The project as it is when it is packaged, with what must be left out beside what must be in. */
async function project(): Promise<void> {
  for (const name of ['package.json', 'electron-builder.yml', 'resources']) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  const wanted = [
    'out/main/main.js',
    'out/preload/preload.cjs',
    'out/renderer/index.html',
    'out/renderer/assets/index.js',
  ];
  const unwanted = [
    'out/main/main.js.map',
    'out/renderer/assets/index.js.br',
    'out/renderer/assets/index.js.gz',
    'out/server/main.js',
    'server/main.ts',
    'electron/main.ts',
    'e2e/a.ts',
    'data/teahouse.db',
    '.env',
  ];
  for (const name of [...wanted, ...unwanted]) await write(join(folder, name));
  for (const name of ['mediasoup', 'fastify', 'svelte']) {
    await write(join(folder, 'node_modules', name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    await write(join(folder, 'node_modules', name, 'index.js'));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packaging-'));
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/electron/package.json'), 'utf8'));
  await project();
  await standIn(join(folder, 'electron-dist'), version);
  const config = load(await readFile(join(root, 'electron-builder.yml'), 'utf8')) as Configuration;
  await build({
    targets: Platform.LINUX.createTarget('dir'),
    projectDir: folder,
    publish: 'never',
    config: { ...config, electronVersion: version, electronDist: join(folder, 'electron-dist') },
  });
});
afterAll(() => rm(folder, { recursive: true }));

describe('the packaged app', () => {
  it('holds the bundles of the shell and the interface, and nothing else', () => {
    const files = listPackage(asar(), { isPack: false }).map((name) => name.replaceAll('\\', '/'));
    expect(files.filter((name) => /\.\w+$/.test(name)).sort()).toEqual([
      '/out/main/main.js',
      '/out/preload/preload.cjs',
      '/out/renderer/assets/index.js',
      '/out/renderer/index.html',
      '/package.json',
      '/resources/icons/256x256.png',
    ]);
    expect(files.filter((name) => /server|node_modules/.test(name))).toEqual([]);
  });

  it('has nothing unpacked beside', async () => {
    expect(await readdir(inApp('resources'))).toEqual(['app.asar']);
  });

  it('starts with the built main script, and is known to the desktop by its name', () => {
    const { main, type, desktopName } = JSON.parse(extractFile(asar(), 'package.json').toString());
    expect({ main, type, desktopName }).toEqual({
      main: 'out/main/main.js',
      type: 'module',
      desktopName: 'teahouse.desktop',
    });
  });

  it('has the fuses blown', async () => {
    const wire = await getCurrentFuseWire(inApp('teahouse'));
    const on = (fuse: FuseV1Options) => wire[fuse] === FuseState.ENABLE;
    expect(on(FuseV1Options.EnableCookieEncryption)).toBe(true);
    expect(on(FuseV1Options.EnableEmbeddedAsarIntegrityValidation)).toBe(true);
    expect(on(FuseV1Options.OnlyLoadAppFromAsar)).toBe(true);
    expect(on(FuseV1Options.RunAsNode)).toBe(false);
    expect(on(FuseV1Options.EnableNodeOptionsEnvironmentVariable)).toBe(false);
    expect(on(FuseV1Options.EnableNodeCliInspectArguments)).toBe(false);
    expect(on(FuseV1Options.GrantFileProtocolExtraPrivileges)).toBe(false);
  });
});

describe('the main script', () => {
  it('needs nothing at run time but Electron and Node', async () => {
    const { main } = viteConfig as { main: { build: object } };
    const result = await bundle({
      configFile: false,
      logLevel: 'silent',
      build: { ...main.build, write: false, ssr: true },
      ssr: { noExternal: true },
    });
    const { output } = (Array.isArray(result) ? result[0] : result) as {
      output: { fileName: string; imports: string[] }[];
    };
    expect(output.map(({ fileName }) => fileName)).toEqual(['main.js']);
    const foreign = output[0]!.imports.filter(
      (name) => name !== 'electron' && !builtinModules.includes(name.replace(/^node:/, '')),
    );
    expect(foreign).toEqual([]);
  });
});
