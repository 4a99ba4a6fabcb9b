/** Writes docs/protocol.md from the contract: `node scripts/docs/protocol.ts [--check]`. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EVENTS, METHODS } from '../../protocol/contract.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { HEARTBEAT_MS, MAX_FRAME_BYTES, PROTOCOL, SOCKET_PATH } from '../../protocol/frames.ts';
import { typeText } from './type-text.ts';

const root = new URL('../../', import.meta.url);
const target = new URL('docs/protocol.md', root);

const EFFECTS = {
  query: 'reads',
  keyed: 'changes; repeats are recognised by `idempotencyId`',
  natural: 'sets; a repeat changes nothing more',
} as const;

/** The doc comment that stands above each declaration of a method or event, by its name on the wire. */
async function comments(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const folder = new URL('protocol/', root);
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
    const source = await readFile(new URL(file, folder), 'utf8');
    const declaration =
      /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export const \w+ = (?:query|mutation|setter|event)\(\s*'([^']+)'/g;
    for (const [, comment, name] of source.matchAll(declaration)) {
      const text = (comment ?? '')
        .replaceAll(/\n\s*\* ?/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim();
      if (name && text) found.set(name, text);
    }
  }
  return found;
}

function shape(schema: z.ZodType): string {
  return ['```ts', typeText(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })), '```'].join('\n');
}

export async function render(): Promise<string> {
  const words = await comments();
  const methods = METHODS.map(({ name, effect, params, result }) =>
    [
      `### \`${name}\``,
      [words.get(name), `It ${EFFECTS[effect]}.`].filter(Boolean).join(' '),
      'Parameters:',
      shape(params),
      'Result:',
      shape(result),
    ].join('\n\n'),
  );
  const events = EVENTS.map(({ name, params }) =>
    [`### \`${name}\``, words.get(name), shape(params)].filter(Boolean).join('\n\n'),
  );
  return `# The wire

This page is made from \`protocol/\` by \`npm run docs\`; change the schemas, not the page.

One WebSocket at \`${SOCKET_PATH}\` carries JSON text frames of at most ${MAX_FRAME_BYTES / 1024} KiB. A client asks with
\`{id, method, params}\` and is answered with \`{id, result}\` or \`{id, error: {code, message, details?}}\`; \`id\` is the client's own.
The server tells with \`{event, params, seq}\`; \`seq\` counts each device's events from 1 without gaps, and a client that comes back
resumes after the last one it handled, or is told (\`resumed: false\`) to ask again for what it shows.
The first request is \`hello\`. This build speaks versions ${PROTOCOL.min} to ${PROTOCOL.max}. The server pings every ${HEARTBEAT_MS / 1000} s (RFC 6455 section 5.5.2).
Unknown fields are refused, as are unknown methods. Binary values are base64 (RFC 4648 section 4), times are milliseconds since the Unix epoch.

## Error codes

${ErrorCode.options.map((code) => `\`${code}\``).join(', ')}.

## Methods

${methods.join('\n\n')}

## Events

${events.join('\n\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await render();
  if (process.argv.includes('--check')) {
    if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
      console.error('docs/protocol.md is not what the schemas say: run `npm run docs` and commit the result.');
      process.exitCode = 1;
    }
  } else {
    await writeFile(target, text);
  }
}
