import process from 'node:process';
import { say } from './lib/say.mjs';
import { setUp } from './setup/set-up.mjs';

const USAGE = `Usage: npm run setup -- [--retry]
Prepares this machine to run, test and build Teahouse. Doing it again does only what is missing.

  --tests   also what only the tests need: Chromium, PostgreSQL
  --retry   try again what was refused a short while ago (Electron's download)
  --help    this text`;

const known = new Set(['--tests', '--retry', '--help']);
const args = process.argv.slice(2);
const unknown = args.find((argument) => !known.has(argument));

if (args.includes('--help')) {
  say(USAGE);
} else if (unknown !== undefined) {
  process.stderr.write(`setup does not know "${unknown}".\n\n${USAGE}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await setUp({ tests: args.includes('--tests'), retry: args.includes('--retry') });
}
