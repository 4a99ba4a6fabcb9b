import { existsSync } from 'node:fs';
import process from 'node:process';
import { bundledNode } from './lib/node24.mjs';
import { inRoot } from './lib/paths.mjs';
import { runNode } from './lib/tools.mjs';

// It talks to a running server, so all is set up where it works; and with --json a program reads what it prints, so
// nothing else may.
if (existsSync(bundledNode)) {
  process.exitCode = await runNode(inRoot('server', 'cli', 'main.ts'), process.argv.slice(2));
} else {
  process.stderr.write('Teahouse is not set up here yet. Type: npm run setup\n');
  process.exitCode = 1;
}
