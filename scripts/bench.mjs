import process from 'node:process';
import { BuildError, buildRenderer } from './lib/client-build.mjs';
import { inRoot } from './lib/paths.mjs';
import { bold, say } from './lib/say.mjs';
import { runNode } from './lib/tools.mjs';
import { setUp } from './setup/set-up.mjs';

/** In this order, each alone on the machine: side by side they would measure one another. */
const BENCHES = ['ratchet', 'relay', 'idle', 'send-to-screen', 'burst', 'stalls', 'call-setup', 'first-load'];

/** @param {string[]} names none for all @returns {Promise<number>} the exit code */
async function main(names) {
  const unknown = names.find((name) => !BENCHES.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no bench "${unknown}". Usage: npm run bench -- [${BENCHES.join('] [')}]\n`);
    return 2;
  }
  const failed = await setUp({ tests: true });
  if (failed) return failed;
  await buildRenderer();
  const codes = [];
  for (const name of BENCHES.filter((bench) => names.length === 0 || names.includes(bench))) {
    say(bold(`\n${name}`));
    codes.push(await runNode(inRoot('bench', `${name}.ts`), []));
  }
  return codes.some((code) => code !== 0) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.exitCode = 1;
}
