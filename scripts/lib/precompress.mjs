import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

const COMPRESSIBLE = new Set(['.html', '.js', '.mjs', '.css', '.json', '.svg', '.txt', '.webmanifest', '.wasm']);
/** Below this a response fits one packet anyway. */
const LEAST_BYTES = 1024;

/**
 * Writes a .br and a .gz beside every file that gets smaller by it, so that the server never compresses while it serves.
 *
 * @param {string} folder
 */
export async function precompress(folder) {
  const jobs = readdirSync(folder).map(async (name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return precompress(path);
    if (COMPRESSIBLE.has(extname(name)) && statSync(path).size >= LEAST_BYTES) await compress(path);
  });
  await Promise.all(jobs);
}

/** @param {string} path */
async function compress(path) {
  const content = readFileSync(path);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const [br, gz] = await Promise.all([brotli(content, quality), zip(content, { level: 9 })]);
  if (br.length < content.length) writeFileSync(`${path}.br`, br);
  if (gz.length < content.length) writeFileSync(`${path}.gz`, gz);
}
