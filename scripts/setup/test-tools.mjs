import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { findChromium } from '../lib/chromium.mjs';
import { SetupError } from './setup-error.mjs';
import { hasApt, installPackages } from './system-packages.mjs';

/** @type {import('./step.mjs').Step} */
export const chromium = {
  name: 'Chromium',
  why: 'the browser in which the tests sign up, chat and call',
  isDone: () => findChromium() !== undefined,
  async run(context) {
    const named = process.env['CHROMIUM_BIN'];
    if (named) {
      throw new SetupError(`CHROMIUM_BIN names ${named}, which cannot be run.`, 'Correct it, or unset CHROMIUM_BIN.');
    }
    if (!hasApt()) {
      throw new SetupError(
        'The tests need Chromium or Chrome, and none was found.',
        'Install Chrome, or name a Chromium in CHROMIUM_BIN, then type the same command again.',
      );
    }
    await installPackages(['chromium'], context);
  },
};

/** @type {import('./step.mjs').Step} */
export const postgresql = {
  name: 'PostgreSQL',
  why: 'the store is tested on it as well as on SQLite; the tests start their own server in a folder of their own',
  isDone: hasPostgresql,
  async run(context) {
    if (!hasApt()) {
      context.note('No PostgreSQL server was found: the tests of the store on PostgreSQL will be skipped.');
      return;
    }
    await installPackages(['postgresql'], context);
  },
};

function hasPostgresql() {
  const debian = '/usr/lib/postgresql';
  if (existsSync(debian)) {
    if (readdirSync(debian).some((version) => existsSync(`${debian}/${version}/bin/postgres`))) return true;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, 'postgres')) || existsSync(join(folder, 'postgres.exe')));
}
