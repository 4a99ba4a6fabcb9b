import { svelte } from '@sveltejs/vite-plugin-svelte';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Every component says its path when it is drawn, into the page's `drawnComponents`: to be imported is not enough. */
const saysItsPath = {
  name: 'says-its-path',
  script({ content, attributes, filename = '' }: Script) {
    if ('module' in attributes || attributes['context'] === 'module') return;
    return {
      code: `globalThis.drawnComponents.add(${JSON.stringify(relative(ROOT, filename).replaceAll('\\', '/'))});${content}`,
    };
  },
};

interface Script {
  readonly content: string;
  readonly attributes: Readonly<Record<string, string | boolean>>;
  readonly filename?: string | undefined;
}

/** The page's script with every view of the interface in one file, and its styles. */
export async function bundleHostilePage(): Promise<{ readonly script: string; readonly styles: string }> {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [svelte({ configFile: false, preprocess: [saysItsPath] })],
    define: { 'process.env.NODE_ENV': '"production"', 'import.meta.env.TEAHOUSE_VERSION': '"0"' },
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'page', cssFileName: 'page' } },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const script = outputs.flatMap((file) => (file.type === 'chunk' ? [file.code] : []));
  const styles = outputs.flatMap((file) =>
    file.type === 'asset' && file.fileName.endsWith('.css') ? [file.source] : [],
  );
  return { script: script.join('\n'), styles: styles.map(String).join('\n') };
}
