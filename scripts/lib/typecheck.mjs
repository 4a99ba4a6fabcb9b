import { runTool } from './tools.mjs';

/**
 * Compiles every TypeScript project with its tests, then the Svelte components.
 *
 * @returns {Promise<number>} 0 when no type is wrong
 */
export async function typecheck() {
  const compiled = await runTool('typescript', 'tsc', ['-b', '--pretty', 'false']);
  const svelte = ['--tsconfig', 'renderer/tsconfig.json', '--output', 'human', '--fail-on-warnings'];
  const checked = await runTool('svelte-check', 'svelte-check', svelte);
  return compiled || checked;
}
