import process from 'node:process';
import { bundledNodeVersion, isNewEnough, systemEnvironment, wantedNodeVersion } from '../lib/node24.mjs';
import { root } from '../lib/paths.mjs';
import { run, RunError } from '../lib/run.mjs';
import { SetupError } from './setup-error.mjs';

/** @type {import('./step.mjs').Step} */
export const node = {
  name: 'Node',
  why: `fetches Node ${wantedNodeVersion()} as an npm package, so that Teahouse runs on it whatever this system has`,
  isDone: () => bundledNodeVersion() === wantedNodeVersion(),
  async run({ progress, note }) {
    progress.update('npm rebuild node');
    const problem = await fetchNode();
    if (problem === undefined) return;
    if (isNewEnough(process.versions.node)) {
      note(
        `The npm package "node" has no binary for this system; Teahouse uses the system's Node ${process.versions.node}.`,
      );
      return;
    }
    throw new SetupError(
      problem,
      'Install Node 24 or newer from https://nodejs.org, then type the same command again.',
    );
  },
};

/** @returns {Promise<string | undefined>} what went wrong */
async function fetchNode() {
  const args = ['rebuild', 'node', '--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await run('npm', args, { cwd: root, env: systemEnvironment(), shell: process.platform === 'win32' });
  } catch (error) {
    return error instanceof RunError ? `${error.message}\n${error.excerpt}` : String(error);
  }
  const version = bundledNodeVersion();
  if (version === wantedNodeVersion()) return undefined;
  return `Node ${wantedNodeVersion()} was asked for and ${version ?? 'nothing that runs'} arrived.`;
}
