import process from 'node:process';
import { BuildError, buildDesktop } from './lib/client-build.mjs';
import { setUp } from './setup/set-up.mjs';

/** Builds what is shipped: the desktop app and the web client in out/. */
async function main() {
  const failed = await setUp();
  if (failed) return failed;
  await buildDesktop();
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.exitCode = 1;
}
