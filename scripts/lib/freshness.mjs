import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * A hash over the names and contents of files: times of change would be those of the clone.
 *
 * @param {string} folder what the names are relative to
 * @param {readonly string[]} paths files and folders within it; one that is missing counts as such
 * @param {(name: string) => boolean} [matters] by the relative name with forward slashes
 * @returns {string}
 */
export function fingerprint(folder, paths, matters = () => true) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(join(folder, path))).sort()) {
    const name = relative(folder, file).replaceAll('\\', '/');
    if (!matters(name)) continue;
    const content = readFileSync(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesUnder(join(path, name)));
}

/**
 * Does work whose sources have changed since it was last done to its end.
 *
 * @param {object} job
 * @param {string} job.stamp the file that remembers the sources' fingerprint
 * @param {string} job.sources their fingerprint now
 * @param {readonly string[]} job.outputs files that must be there
 * @param {() => Promise<void>} job.work throws when it fails: then it is not remembered as done
 * @returns {Promise<boolean>} whether there was anything to do
 */
export async function whenStale({ stamp, sources, outputs, work }) {
  const isFresh = outputs.every((path) => existsSync(path)) && existsSync(stamp);
  if (isFresh && readFileSync(stamp, 'utf8') === sources) return false;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
  return true;
}
