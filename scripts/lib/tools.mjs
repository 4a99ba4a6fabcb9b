import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { nodePath, toolEnvironment } from './node24.mjs';
import { inRoot, root } from './paths.mjs';

/**
 * The script behind one of the project's tools, which Node can run on every system (what npm puts into .bin is a shell
 * script on Windows).
 *
 * @param {string} packageName for example "@playwright/test"
 * @param {string} command for example "playwright"
 */
export function toolScript(packageName, command) {
  const manifest = inRoot('node_modules', packageName, 'package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return resolve(dirname(manifest), typeof bin === 'string' ? bin : bin[command]);
}

/**
 * Runs a script on Teahouse's Node, with this process's terminal.
 *
 * @param {string} script
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [extra] on top of this process's environment
 * @returns {Promise<number>} its exit code; 1 if a signal ended it
 */
export function runNode(script, args, extra = {}) {
  return new Promise((done, reject) => {
    const env = { ...toolEnvironment(), ...extra };
    const child = spawn(nodePath(), [script, ...args], { cwd: root, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => done(code ?? 1));
  });
}

/**
 * @param {string} packageName
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [extra]
 */
export function runTool(packageName, command, args, extra) {
  return runNode(toolScript(packageName, command), args, extra);
}
