import process from 'node:process';
import { bold, dim, duration, green, red, say, yellow } from './lib/say.mjs';
import { chooseParts, PARTS } from './lib/test-parts.mjs';
import { lastLine, single, sum } from './lib/totals.mjs';
import { setUp } from './setup/set-up.mjs';

const USAGE = `Usage: npm test                       everything
       npm test -- lint types         some parts
       npm test -- unit server/store  one part, with the runner's own arguments
       npm test -- hostile --list     which files the attacks are in, without running them

${PARTS.map(({ name, what }) => `  ${name.padEnd(8)}${what}`).join('\n')}`;

/** @typedef {{ name: string, totals: import('./lib/totals.mjs').Totals, took: number }} Result */

/** @param {string[]} args @returns {Promise<number>} the exit code */
async function main(args) {
  if (args.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const choice = chooseParts(args);
  if ('problem' in choice) {
    process.stderr.write(`${choice.problem}\n\n${USAGE}\n`);
    return 2;
  }
  const failed = await setUp({ tests: true });
  if (failed) return failed;
  return await runParts(choice.parts, choice.rest);
}

/**
 * @param {readonly import('./lib/test-parts.mjs').Part[]} parts
 * @param {readonly string[]} rest
 */
async function runParts(parts, rest) {
  /** @type {Result[]} */
  const results = [];
  for (const { name, what, run } of parts) {
    say(`\n${bold(name)}: ${what}`);
    const started = Date.now();
    // The end-to-end tests would run on what an earlier build left behind.
    const isBlocked = name === 'e2e' && results.some((result) => result.name === 'build' && result.totals.failed > 0);
    const totals = isBlocked ? single(false) : await run(rest);
    if (isBlocked) say(red('Not run, because the build failed.'));
    results.push({ name, totals, took: Date.now() - started });
  }
  return summarise(results);
}

/** @param {readonly Result[]} results */
function summarise(results) {
  say('');
  for (const { name, totals, took } of results) {
    const mark = totals.failed > 0 ? red('failed') : green('passed');
    say(`${name.padEnd(8)} ${mark}  ${lastLine(totals)} ${dim(`(${duration(took)})`)}`);
  }
  const all = sum(results.map(({ totals }) => totals));
  for (const skip of all.skips) say(yellow(`skipped: ${skip}`));
  say(lastLine(all));
  return all.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
