import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { run } from '../lib/run.mjs';
import { PATCHES, patchText } from './patches.mjs';
import { SUBPROJECTS } from './subprojects.mjs';

const include = fileURLToPath(new URL('include', import.meta.url));

/** Debian's packages (12 and newer, and Ubuntu's of the same names) from which the worker is built. */
export const BUILD_PACKAGES = [
  'g++',
  'meson',
  'ninja-build',
  'pkg-config',
  'libuv1-dev',
  'libssl-dev',
  'libsrtp2-dev',
  'libabsl-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
];

/**
 * Builds mediasoup's worker from the source in its npm package, against the distribution's libraries: the package's own
 * build downloads its libraries' sources from several hosts, which a machine with nothing but npm's and Debian's
 * packages cannot reach. Proven with mediasoup 3.27.1 on Debian 12.
 *
 * @param {object} options
 * @param {string} options.mediasoup the npm package's folder
 * @param {string} options.output the program to write
 * @param {(text: string) => void} options.onProgress
 * @throws {import('../lib/run.mjs').RunError} when a tool fails
 */
export async function buildWorker({ mediasoup, output, onProgress }) {
  const source = mkdtempSync(join(tmpdir(), 'teahouse-sfu-worker-'));
  const clean = () => rmSync(source, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    prepareSource(join(mediasoup, 'worker'), source);
    await compile(source, onProgress);
    mkdirSync(dirname(output), { recursive: true });
    const unfinished = `${output}.${process.pid}`;
    copyFileSync(join(source, 'out', 'mediasoup-worker'), unfinished);
    renameSync(unfinished, output);
  } finally {
    clean();
    process.off('exit', clean);
  }
}

/**
 * @param {string} from
 * @param {string} source
 */
function prepareSource(from, source) {
  cpSync(from, source, { recursive: true });
  const subprojects = join(source, 'subprojects');
  // A .wrap file tells Meson to download a library; without it Meson takes the folder of that name.
  for (const file of readdirSync(subprojects)) {
    if (file.endsWith('.wrap')) rmSync(join(subprojects, file));
  }
  for (const { name, build, options } of SUBPROJECTS) {
    mkdirSync(join(subprojects, name), { recursive: true });
    writeFileSync(join(subprojects, name, 'meson.build'), build);
    if (options) writeFileSync(join(subprojects, name, 'meson_options.txt'), options);
  }
  cpSync(join(include, 'srtp'), join(subprojects, 'libsrtp3', 'include'), { recursive: true });
  cpSync(join(include, 'ankerl'), join(subprojects, 'unordered_dense', 'include', 'ankerl'), { recursive: true });
  for (const patch of PATCHES) {
    const path = join(source, patch.file);
    writeFileSync(path, patchText(readFileSync(path, 'utf8'), patch));
  }
}

/**
 * @param {string} cwd
 * @param {(text: string) => void} onProgress
 */
async function compile(cwd, onProgress) {
  onProgress('configuring');
  await run('meson', ['setup', 'out', '--buildtype', 'release', '-Db_ndebug=true'], { cwd });
  /** @param {string} line */
  const onLine = (line) => {
    const count = /^\[(\d+)\/(\d+)\]/.exec(line);
    if (count) onProgress(`compiling ${count[1]} of ${count[2]}`);
  };
  await run('ninja', ['-C', 'out', 'mediasoup-worker'], { cwd, onLine });
  await run('strip', [join('out', 'mediasoup-worker')], { cwd });
}
