import process from 'node:process';
import { hasDisplay } from '../lib/electron.mjs';
import { bold, dim, duration, green, Progress, red, say, yellow } from '../lib/say.mjs';
import { dependencies } from './dependencies.mjs';
import { electron } from './electron.mjs';
import { node } from './node.mjs';
import { SetupError } from './setup-error.mjs';
import { sfuWorker } from './sfu-worker.mjs';
import { chromium, postgresql } from './test-tools.mjs';

/**
 * Brings this machine to where Teahouse runs, doing only what is missing.
 *
 * @param {{ tests?: boolean, retry?: boolean }} [options] `tests`: also what only the tests need
 * @returns {Promise<number>} 0, or 1 after a step failed and said what to type
 */
export async function setUp({ tests = false, retry = false } = {}) {
  const wanted = [dependencies, node, sfuWorker];
  if (tests) wanted.push(chromium, postgresql);
  // Without a display nobody would see the desktop app, so its 100 MB are fetched only where a test may drive it.
  if (tests || hasDisplay()) wanted.push(electron);
  return await runSteps(wanted, retry);
}

/**
 * @param {import('./step.mjs').Step[]} steps
 * @param {boolean} retry
 */
export async function runSteps(steps, retry) {
  const stop = () => {
    process.stderr.write('\nSet-up was stopped. What is done stays done: type the same command again to go on.\n');
    process.exit(130);
  };
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  for (const signal of signals) process.once(signal, stop);
  try {
    return await runMissing(steps, retry);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

/**
 * @param {import('./step.mjs').Step[]} steps
 * @param {boolean} retry
 */
async function runMissing(steps, retry) {
  const started = Date.now();
  let announced = false;
  for (const step of steps) {
    if (step.isDone({ retry })) continue;
    if (!announced) say(bold('Setting up Teahouse. What is already there is left as it is.'));
    announced = true;
    if (!(await runStep(step, `${steps.indexOf(step) + 1}/${steps.length}`, retry))) return 1;
  }
  if (announced) say(green(`Set-up is complete (${duration(Date.now() - started)}).\n`));
  return 0;
}

/**
 * @param {import('./step.mjs').Step} step
 * @param {string} number
 * @param {boolean} retry
 */
async function runStep(step, number, retry) {
  const started = Date.now();
  say(`[${number}] ${bold(step.name)}: ${step.why}`);
  const progress = new Progress();
  /** @param {string} sentence */
  const note = (sentence) => say(`      ${yellow(sentence)}`);
  try {
    await step.run({ progress, note, retry });
    progress.end();
    say(dim(`      done in ${duration(Date.now() - started)}`));
    return true;
  } catch (error) {
    progress.end();
    const advice =
      error instanceof SetupError ? error.advice : 'This is a fault in the set-up itself: please report it.';
    const message = error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(
      `\n${red(`Set-up stopped at "${step.name}".`)} ${message}\n\n${bold('What to do:')} ${advice}\n`,
    );
    return false;
  }
}
