import { readdirSync, readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

const FOLDERS = ['protocol', 'crypto', 'server', 'renderer', 'electron', 'scripts', 'e2e'];
const THREAT_MODEL = 'docs/threat-model.md';
const IS_TEST = /\.(test|spec)\.ts$/;
const IS_HOSTILE = /hostile[^/]*$/;

/**
 * @typedef {object} HostileSuite
 * @property {string[]} units files of Vitest, from the root, with slashes
 * @property {string[]} pages files of Playwright
 * @property {string[]} missing names in the threat model of which there is no test
 */

/**
 * Every attack: the tests with "hostile" in their names, and whichever else the threat model names for what it says.
 *
 * @param {{ files?: readonly string[], threatModel?: string }} [of] those of the repository unless told
 * @returns {HostileSuite}
 */
export function hostileSuite({ files = testFiles(), threatModel = readFileSync(inRoot(THREAT_MODEL), 'utf8') } = {}) {
  const chosen = new Set(files.filter((file) => IS_HOSTILE.test(file)));
  const missing = [];
  for (const name of namesIn(threatModel)) {
    const named = files.filter((file) => `/${file.replace(IS_TEST, '')}`.endsWith(`/${name}`));
    if (named.length === 0) missing.push(name);
    for (const file of named) chosen.add(file);
  }
  const all = [...chosen].toSorted();
  return {
    units: all.filter((file) => file.endsWith('.test.ts')),
    pages: all.filter((file) => file.endsWith('.spec.ts')),
    missing,
  };
}

/**
 * What comes after `hostile`: paths narrow the suite, options go to the runners.
 *
 * @param {HostileSuite} suite
 * @param {readonly string[]} args
 * @returns {{ units: string[], pages: string[], options: string[] }}
 */
export function narrowed({ units, pages }, args) {
  // An option's value is one of its own arguments: after the first option nothing is a path.
  const first = args.findIndex((argument) => argument.startsWith('-'));
  const paths = first === -1 ? args : args.slice(0, first);
  const isWanted = (/** @type {string} */ file) => paths.length === 0 || paths.some((path) => file.includes(path));
  return {
    units: units.filter(isWanted),
    pages: pages.filter(isWanted),
    options: first === -1 ? [] : args.slice(first),
  };
}

/** @param {string} text @returns {Set<string>} the names in the last column of each table whose last column is the test */
function namesIn(text) {
  const names = new Set();
  let inTable = false;
  for (const line of text.split('\n')) {
    const last = line.startsWith('|') ? (line.split('|').at(-2) ?? '') : null;
    inTable = last !== null && (inTable || last.trim() === 'Test');
    if (inTable) for (const [, name] of last?.matchAll(/`([^`]+)`/g) ?? []) names.add(name);
  }
  return names;
}

function testFiles() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(inRoot(folder), { recursive: true }).map((file) => `${folder}/${String(file).replaceAll('\\', '/')}`),
  ).filter((file) => IS_TEST.test(file) && !file.includes('/node_modules/'));
}
