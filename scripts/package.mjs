import process from 'node:process';
import { BuildError, buildDesktop } from './lib/client-build.mjs';
import { electronProblem } from './lib/electron-download.mjs';
import { runTool } from './lib/tools.mjs';
import { setUp } from './setup/set-up.mjs';

/** Builds the desktop app and its installers; further arguments go to electron-builder, for example `--linux deb`. */
async function main() {
  const problem = await electronProblem();
  if (problem !== undefined) {
    process.stderr.write(
      `${problem} What works without it: npm run build (the web client, which the server serves).\n`,
    );
    return 1;
  }
  const failed = await setUp();
  if (failed) return failed;
  await buildDesktop();
  return await runTool('electron-builder', 'electron-builder', ['--publish', 'never', ...process.argv.slice(2)]);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.exitCode = 1;
}
