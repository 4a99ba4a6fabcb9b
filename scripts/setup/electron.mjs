import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findElectron } from '../lib/electron.mjs';
import { nodePath } from '../lib/node24.mjs';
import { cacheFolder, inRoot } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

const REFUSAL_LASTS = 6 * 60 * 60 * 1000;
const DOWNLOAD_MAY_LAST = 5 * 60 * 1000;

/** Remembers for some hours that the download was refused, so that not every start waits for the refusal. */
function refusalNote() {
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', 'electron', 'package.json'), 'utf8'));
  return join(cacheFolder(), `electron-${version}-refused`);
}

function wasRefusedLately() {
  try {
    return Date.now() - statSync(refusalNote()).mtimeMs < REFUSAL_LASTS;
  } catch {
    return false;
  }
}

/** @type {import('./step.mjs').Step} */
export const electron = {
  name: 'Electron',
  why: 'downloads the binary that shows Teahouse as a desktop app',
  isDone: ({ retry }) => findElectron() !== undefined || (!retry && wasRefusedLately()),
  async run({ progress, note }) {
    progress.update('downloading Electron');
    try {
      await run(nodePath(), [inRoot('node_modules', 'electron', 'install.js')], { timeout: DOWNLOAD_MAY_LAST });
      rmSync(refusalNote(), { force: true });
    } catch {
      mkdirSync(dirname(refusalNote()), { recursive: true });
      writeFileSync(refusalNote(), '');
      note(
        'Electron cannot be downloaded from here, so Teahouse goes on without its desktop app: it runs in the browser.',
      );
      note('This is tried again after six hours, or at once with: npm run setup -- --retry');
    }
  },
};
