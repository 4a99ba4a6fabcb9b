import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import process from 'node:process';
import { inRoot } from './paths.mjs';

const LEAST_MAJOR = 24;

/** Where the npm package `node` puts its binary. */
export const bundledNode = inRoot('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** The version that package.json asks for, for example "24.21.0". */
export function wantedNodeVersion() {
  return JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).devDependencies.node;
}

/** @returns {string | undefined} what the bundled binary says it is; undefined if it is not there or does not run */
export function bundledNodeVersion() {
  if (!existsSync(bundledNode)) return undefined;
  const { status, stdout } = spawnSync(bundledNode, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().replace(/^v/, '') : undefined;
}

/** @param {string} version */
export function isNewEnough(version) {
  return Number.parseInt(version, 10) >= LEAST_MAJOR;
}

/**
 * The Node that runs Teahouse's TypeScript: the project's own, else the one running now if it is new enough.
 *
 * @returns {string} the path of its executable
 */
export function nodePath() {
  if (existsSync(bundledNode)) return bundledNode;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw new Error(`Node ${LEAST_MAJOR} is not set up yet. Type: npm run setup`);
}

/**
 * The environment for a program that Teahouse's scripts start: the project's own tools come first.
 *
 * @param {NodeJS.ProcessEnv} [env]
 */
export function toolEnvironment(env = process.env) {
  return { ...env, PATH: [inRoot('node_modules', '.bin'), env['PATH'] ?? ''].join(delimiter) };
}

/**
 * The environment as the user's shell has it, without the node_modules folders that npm puts first on the path: npm
 * itself must run on the system's Node, since it may replace the project's.
 *
 * @param {NodeJS.ProcessEnv} [env]
 */
export function systemEnvironment(env = process.env) {
  const folders = (env['PATH'] ?? '').split(delimiter);
  return { ...env, PATH: folders.filter((folder) => !/node_modules[\\/]\.bin[\\/]?$/.test(folder)).join(delimiter) };
}
