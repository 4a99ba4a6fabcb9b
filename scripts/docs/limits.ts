/** Writes docs/limits.md from every `limits.ts` and from the methods: `node scripts/docs/limits.ts [--check]`. */
import { glob, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { METHODS } from '../../protocol/contract.ts';
import { hello } from '../../protocol/hello.ts';
import { composeModules } from '../../server/compose.ts';
import type { Limits } from '../../protocol/limit.ts';
import { HELLO_LIMIT } from '../../server/ws/dispatcher.ts';
import { frameCost } from '../../server/ws/frame-cost.ts';
import type { RateLimit } from '../../server/ws/method.ts';
import { pingMethod } from '../../server/ws/ping.ts';

const root = new URL('../../', import.meta.url);
const target = new URL('docs/limits.md', root);

interface Rated {
  readonly permission: string;
  readonly limit: RateLimit;
}

export async function render(): Promise<string> {
  const rated = registrations();
  const methods = METHODS.map((method) => {
    const { limit, permission } = rated.get(method.name) ?? missing(method.name);
    const { bytes, tokens } = frameCost(method);
    const often = `${number(limit.requests)} in ${number(limit.seconds)} s, by ${limit.by}`;
    return `| \`${method.name}\` | ${often} | ${number(bytes)} | ${number(tokens)} | ${reasonOf(limit, permission)} |`;
  });
  return `# Limits

This page is made from the \`limits.ts\` files of server and client and from the server's methods by \`npm run docs\`; change those, not the page.
Each line bounds what somebody outside can cost, and says why it is there.

## Requests

By address: all connections from one IPv4 address or one IPv6 /64 count together. By account: all its devices do; before sign-in, each
connection by itself. A request over its limit gets \`rate_limited\` with the time to wait. The longest frame and its most brackets, commas and
colons are computed from the schema of the method, and are held before the frame is parsed.

| Method | At most | Bytes | Tokens | Why |
| --- | --- | --- | --- | --- |
${methods.join('\n')}

${(await folders()).join('\n\n')}
`;
}

/** Every method as its module registers it. */
function registrations(): ReadonlyMap<string, Rated> {
  const { modules } = composeModules(hollow(), hollow(), hollow(), hollow());
  const methods = [pingMethod, ...modules.flatMap((module) => module.methods)];
  const found = new Map<string, Rated>(methods.map((registered) => [registered.method.name, registered]));
  return found.set(hello.name, { permission: 'anyone', limit: HELLO_LIMIT });
}

/** Stands for whatever a module is given: registering a method uses none of it. */
function hollow<T>(): T {
  const anything: unknown = new Proxy(() => undefined, {
    get: (_, name) => (name === Symbol.toPrimitive ? () => 1 : anything),
    apply: () => anything,
    construct: () => anything as object,
  });
  return anything as T;
}

function missing(name: string): never {
  throw new Error(`no module registers ${name}`);
}

/** What is said of a limit that gives no reason of its own. */
function reasonOf({ reason, by, requests, seconds }: RateLimit, permission: string): string {
  if (reason !== undefined) return reason;
  if (by === 'address') return 'Anybody may ask before signing in, so it is the machine that is counted.';
  const perMinute = (requests * 60) / seconds;
  if (permission === 'admin') return 'Work for many at once; nobody administers faster by hand.';
  if (perMinute >= 3000) return 'Carries messages; a burst is an outbox that comes back from hours offline.';
  return 'Several times what the app asks for in its busiest minute.';
}

/** A table for each folder that has limits. */
async function folders(): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob('{server,crypto,renderer}/**/limits.ts', { cwd: fileURLToPath(root) }))
    files.push(file.replaceAll('\\', '/'));
  return Promise.all(files.toSorted().map(table));
}

async function table(file: string): Promise<string> {
  const { LIMITS } = (await import(pathToFileURL(fileURLToPath(new URL(file, root))).href)) as { LIMITS: Limits };
  const rows = Object.entries(LIMITS).map(
    ([name, { value, unit, reason }]) => `| \`${name}\` | ${number(value)} ${unit} | ${reason} |`,
  );
  return `## ${file.replace(/\/limits\.ts$/, '')}\n\n| Name | At most | Why |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await render();
  if (process.argv.includes('--check')) {
    if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
      console.error('docs/limits.md is not what the limits say: run `npm run docs` and commit the result.');
      process.exitCode = 1;
    }
  } else {
    await writeFile(target, text);
  }
}
