import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { buildDesktop, BuildError } from './client-build.mjs';
import { hostileSuite, narrowed } from './hostile-suite.mjs';
import { inRoot } from './paths.mjs';
import { say } from './say.mjs';
import { runTool } from './tools.mjs';
import { playwrightTotals, single, sum, vitestTotals } from './totals.mjs';
import { typecheck } from './typecheck.mjs';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} what
 * @property {boolean} takesArguments
 * @property {boolean} [onlyByName] run when it is named, since the other parts contain it
 * @property {(args: readonly string[]) => Promise<import('./totals.mjs').Totals>} run
 */

/** The parts of `npm test`, in the order in which they run: what is quick and often wrong comes first. */
export const PARTS = /** @type {readonly Part[]} */ ([
  { name: 'format', what: 'every file is formatted', takesArguments: false, run: format },
  { name: 'lint', what: 'no rule is broken, the table of imports among them', takesArguments: false, run: lint },
  { name: 'types', what: 'every type holds, in tests and components too', takesArguments: false, run: types },
  { name: 'unit', what: 'units, and the parts together on a real server and store', takesArguments: true, run: unit },
  { name: 'build', what: 'the desktop app and the web client build', takesArguments: false, run: build },
  { name: 'e2e', what: 'people use Teahouse in Chromium', takesArguments: true, run: endToEnd },
  {
    name: 'hostile',
    what: 'what strangers, colleagues, servers and content may attack (a part of unit and e2e, by itself)',
    takesArguments: true,
    onlyByName: true,
    run: hostile,
  },
]);

/**
 * @param {readonly string[]} args `npm test -- unit server/store`: the parts to run, then what goes to the runner
 * @returns {{ parts: readonly Part[], rest: readonly string[] } | { problem: string }}
 */
export function chooseParts(args) {
  const known = new Map(PARTS.map((part) => [part.name, part]));
  const count = args.findIndex((argument) => !known.has(argument));
  const names = count === -1 ? args : args.slice(0, count);
  const rest = count === -1 ? [] : args.slice(count);
  const parts = PARTS.filter(({ name, onlyByName }) => (names.length === 0 ? !onlyByName : names.includes(name)));
  const runner = parts.length === 1 && parts[0]?.takesArguments;
  if (rest.length === 0 || runner) return { parts, rest };
  const choices = [...known.keys()].join(', ');
  return {
    problem: `"${rest[0]}" is none of the parts ${choices}; only after unit, e2e or hostile alone it may go to the runner.`,
  };
}

async function format() {
  return single((await runTool('oxfmt', 'oxfmt', ['--check'])) === 0);
}

async function lint() {
  return single((await runTool('oxlint', 'oxlint', ['--deny-warnings'])) === 0);
}

async function types() {
  return single((await typecheck()) === 0);
}

async function build() {
  try {
    await buildDesktop();
    return single(true);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return single(false);
  }
}

/** @param {readonly string[]} args */
async function unit(args) {
  const report = newReport('vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await runTool('vitest', 'vitest', ['run', ...reporters, ...args]);
  return vitestTotals(read(report), code);
}

/** @param {readonly string[]} args */
async function endToEnd(args) {
  const report = newReport('playwright.json');
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: report };
  const code = await runTool('@playwright/test', 'playwright', ['test', '--reporter=list,json', ...args], env);
  return playwrightTotals(read(report), code);
}

/** Every attack; with `--list` it only says which files those are. @param {readonly string[]} args */
async function hostile(args) {
  const { units, pages, options } = narrowed(hostileSuite(), args);
  for (const file of [...units, ...pages]) say(file);
  if (options.includes('--list')) return sum([]);
  const totals = units.length + pages.length === 0 ? [single(false)] : [];
  if (units.length > 0) totals.push(await unit([...units, ...options]));
  if (pages.length > 0) totals.push(await build(), await endToEnd([...pages, ...options]));
  return sum(totals);
}

/** @param {string} name @returns {string} a path where no older report can be taken for a new one */
function newReport(name) {
  const folder = inRoot('.cache', 'tests');
  mkdirSync(folder, { recursive: true });
  const path = inRoot('.cache', 'tests', name);
  rmSync(path, { force: true });
  return path;
}

/** @param {string} path */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
