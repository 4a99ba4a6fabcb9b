import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { delivered } from '../../protocol/chat.ts';
import { METHODS } from '../../protocol/contract.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import { extremesFor, fieldsOf, rightFor, valueAt, withValue, type Field } from '../../server/testing/schema-values.ts';
import { UnknownSender } from '../modules/chat/inbox.ts';
import { HeadlessClient, PASSWORD, until } from '../testing/headless-client.ts';
import { HostileLine } from '../testing/hostile-line.ts';
import { isLostAnswer } from '../net/retrying.ts';
import { ServerProcess } from '../testing/server-process.ts';

/*
 * What a hostile server may answer a real client: the answers of a real server, in which one field at a time is another.
 * Fields and values come from the contract, so that a method or a field that is added is attacked by being in it. Whatever
 * the client makes of an answer: with an honest server it can be opened, writes and reads afterwards, and nothing in it
 * has thrown but a refusal with a code.
 */

/** Answers that a person gets who calls, or who administers; the ones of `Nothing` have no field. */
const ELSEWHERE = new Set([
  'accounts.checkReset',
  'accounts.completeReset',
  'accounts.people',
  'accounts.resetPassword',
  'calls.capabilities',
  'calls.start',
  'calls.invite',
  'calls.join',
  'calls.restartIce',
  'calls.produce',
]);
/** Behind other questions of the same client, of which the server refuses some: not reached each time here. */
const BEHIND_OTHERS = new Set(['contacts.search', 'devices.prekeyStatus']);
/** Requests of a client that does not go round in circles: a reconnection makes about ten. */
const MOST_REQUESTS = 100;
/** How long a client that does not come online is left with what it was told. Milliseconds. */
const HOSTILE_MS = 100;
const SAMPLES = 30;
/** How often a client asks again that was refused for asking too often, and how long it waits before. */
const AGAIN = 8;
const AGAIN_MS = 1000;
/** What a vault says of an answer that is not for it. */
const REFUSALS = /the server answered for another account|this device has keys of the account already/;

interface Lie {
  readonly path: Field['path'];
  /** What stands around it where the real answer has nothing there. */
  readonly around: unknown;
  readonly value: unknown;
}

let server: ServerProcess;
let line: HostileLine;
let ada: HeadlessClient;
let ben: HeadlessClient;
let links: string[];
let count = 0;

beforeAll(async () => {
  // Known by the line's origin, which a device names when it signs in.
  line = await HostileLine.to();
  server = await ServerProcess.start({ TEAHOUSE_ORIGIN: line.origin });
  line.server = listening();
  line.resumes = false;
  ada = await HeadlessClient.join(line.server, server.invitation, 'ada');
  links = [...(await ada.accounts.createInvitations({ count: 400, role: 'admin', validHours: 1 }))];
  ben = await HeadlessClient.join(line.origin, token(), 'ben');
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
  await worksOn(ben);
});
afterAll(async () => {
  ada?.close();
  ben?.close();
  await line?.close();
  await server?.dispose();
});

/** Where the server really is. */
function listening(): string {
  const [origin] = server.log.flatMap((text) => /listening at (http:[^"]+)/.exec(text)?.[1] ?? []);
  if (origin === undefined) throw new Error('the server did not say where it listens');
  return origin;
}

function token(): string {
  return links.pop()!.split('/').at(-1)!;
}

/** A message each way. */
async function worksOn(client: HeadlessClient): Promise<void> {
  const text = `message ${++count}`;
  await ada.chat.send(text);
  await until(() => client.texts().includes(text), `${text} arrives`);
  await client.chat.send(`answer ${count}`);
  await until(() => ada.texts().includes(`answer ${count}`), `answer ${count} arrives`);
}

/** Whatever the schema takes, and of what it does not take one for each field: that all goes the same way. */
function liesAbout(schema: z.ZodType): Lie[] {
  const others = { userId: ada.userId, deviceId: 1 };
  const samples = fc.sample(rightFor(schema), SAMPLES);
  return fieldsOf(schema).flatMap(({ path, schema: field }, index) => {
    const around = samples.find((sample) => (valueAt(sample, path) ?? null) !== null);
    const right = valueAt(around, path);
    const values = [...extremesFor(field, right, others), undefined, ...more(right)];
    const lies = values.map((value) => ({ path, around, value }));
    const refused = lies.filter((lie) => !schema.safeParse(withValue(around, path, lie.value)).success);
    const taken = lies.filter((lie) => !refused.includes(lie));
    return [...taken, ...refused.slice(index % Math.max(1, refused.length)).slice(0, 1)];
  });
}

/** Of each field the first, the last and one between: each of these takes a client of its own. */
function fewOf(lies: readonly Lie[]): Lie[] {
  return [...Map.groupBy(lies, ({ path }) => path.join('.')).values()].flatMap((ofField) => {
    const places = new Set([0, Math.floor(ofField.length / 2), ofField.length - 1]);
    return ofField.filter((_, place) => places.has(place));
  });
}

/** Lists as long as a frame holds, and with the same entry twice; texts that nothing bounds; both sides of a choice. */
function more(right: unknown): unknown[] {
  const room = MAX_FRAME_BYTES - 20_000;
  if (typeof right === 'boolean') return [!right];
  if (typeof right === 'string') return ['x'.repeat(room), '\u202e'.repeat(room / 4)];
  if (!Array.isArray(right)) return [];
  const [first] = right as unknown[];
  const most = Math.floor(room / JSON.stringify(first ?? null).length);
  return [[first, first], Array.from({ length: most }, () => first)];
}

/** The real answer with the lie in it. A list that is doubled or long repeats the entry that is really there. */
function lying(answer: unknown, { path, around, value }: Lie): unknown {
  const there = valueAt(answer, path);
  const entry: unknown = Array.isArray(there) ? there[0] : undefined;
  const repeats = Array.isArray(value) && value.length > 1 && entry !== undefined;
  return withValue(filled(answer, around, path), path, repeats ? value.map(() => entry) : value);
}

/** `answer`, with what is missing in it on the way to a field. */
function filled(answer: unknown, around: unknown, [name, ...rest]: Field['path']): unknown {
  if (answer === undefined || answer === null) return around;
  if (name === undefined) return answer;
  const part = filled(valueAt(answer, [name]), valueAt(around, [name]), rest);
  return withValue(answer, [name], part);
}

interface Attack {
  /** Method or event. */
  readonly name: string;
  readonly lie: Lie;
  /** Makes a client ask. */
  readonly provoke: () => Promise<unknown>;
}

/**
 * Rejects with anything but a refusal. The server is honest afterwards: what was asked may go on then, and is waited for
 * through `done`.
 */
async function attack({ name, lie, provoke }: Attack): Promise<{ readonly done: Promise<unknown> }> {
  let told = 0;
  const asked = line.asked;
  line.alter = (frame, method) => {
    const { event, params, result, ...rest } = frame as Record<string, unknown>;
    if (name === event) {
      told += 1;
      return { ...rest, event, params: lying(params, lie) };
    }
    // One that this server refuses, as it has no media, a hostile one answers.
    if (name === method) {
      told += 1;
      return { id: rest['id'], result: lying(result, lie) };
    }
    return method === 'devices.prekeyStatus' && name === 'devices.publishPrekeys' ? runOut(frame) : frame;
  };
  const ask = () =>
    provoke().catch((error: unknown) => {
      if (!(error instanceof ProtocolError) && !isLostAnswer(error) && !REFUSALS.test(String(error))) throw error;
    });
  let done = ask();
  // Who comes back so often is refused one of the questions before it by the honest server.
  for (let again = 0; again < AGAIN && !(await within(() => told > 0)); again += 1) done = ask();
  await until(() => told > 0, `${name} is answered`);
  await Promise.race([done, new Promise((late) => setTimeout(late, HOSTILE_MS))]);
  line.alter = (frame) => frame;
  expect(line.asked - asked, 'requests').toBeLessThan(MOST_REQUESTS);
  return { done };
}

function runOut(frame: unknown): unknown {
  return withValue(frame, ['result', 'remaining'], 0);
}

/** Whether it becomes so in a while. */
async function within(condition: () => boolean): Promise<boolean> {
  for (const end = Date.now() + AGAIN_MS; !condition() && Date.now() < end;)
    await new Promise((done) => setTimeout(done, 5));
  return condition();
}

async function comeBack(): Promise<void> {
  ben.network = false;
  ben.network = true;
  await ben.online();
}

/** A line that an earlier answer has ended is made again by an honest server. */
async function onLine(ask: () => Promise<unknown>): Promise<() => Promise<unknown>> {
  if (ben.connection.state.kind !== 'online') await comeBack();
  return ask;
}

/** How a client comes to ask. Whatever is not here, it asks for by itself whenever it comes back. */
const PROVOKED: Readonly<Record<string, () => Promise<unknown>>> = {
  'accounts.checkInvitation': () => ben.accounts.checkInvitation(links[0]!.split('/').at(-1)!),
  'accounts.sessions': () => ben.accounts.sessions(),
  'accounts.createInvitations': () => ben.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 }),
  'chat.send': () => ben.chat.send('a message that gets an odd answer'),
  'chat.envelope': () => ada.chat.send('a message in an odd envelope'),
};

/** The app is opened anew, and who is not signed in signs in; who is, does so once more, as the device that it was. */
async function signedIn(
  before: HeadlessClient,
  input: Parameters<HeadlessClient['accounts']['signUp']>[0],
): Promise<HeadlessClient> {
  const client = await before.reopen(line.origin);
  // With a session that is none it says so once it is connected.
  await until(() => client.accounts.stage.kind !== 'ready' || client.connection.state.kind === 'online', 'a stage');
  const { kind } = client.accounts.stage;
  if (kind === 'welcome') await client.accounts.signUp(input);
  if (kind === 'ready') await client.accounts.signOut();
  if (kind !== 'welcome') await client.accounts.signIn({ username: input.username, password: PASSWORD });
  expect(client.accounts.stage.kind).toBe('ready');
  return client;
}

/** What happens once in the life of a client, or begins it anew. Resolves to the client that is to work on. */
const ONCE: Readonly<Record<string, (lie: Lie) => Promise<HeadlessClient>>> = {
  'accounts.signUp': async (lie) => {
    const client = new HeadlessClient(line.origin);
    await client.accounts.begin();
    const input = { invitation: token(), username: `new${++count}`, displayName: `New ${count}`, password: PASSWORD };
    const { done } = await attack({ name: 'accounts.signUp', lie, provoke: () => client.accounts.signUp(input) });
    await done;
    return signedIn(client, input);
  },
  'accounts.signIn': async (lie) => {
    const input = { invitation: token(), username: `new${++count}`, displayName: `New ${count}`, password: PASSWORD };
    const client = await HeadlessClient.join(line.origin, input.invitation, input.username);
    await client.accounts.signOut();
    const { done } = await attack({ name: 'accounts.signIn', lie, provoke: () => client.accounts.signIn(input) });
    await done;
    return signedIn(client, input);
  },
  'devices.publishPrekeys': async (lie) => {
    let client = await HeadlessClient.join(line.origin, token(), `new${++count}`);
    const provoke = async () => (client = await client.reopen(line.origin));
    await (
      await attack({ name: 'devices.publishPrekeys', lie, provoke })
    ).done;
    return client;
  },
  'devices.takeBundles': async (lie) => {
    const client = await HeadlessClient.join(line.origin, token(), `new${++count}`);
    await client.chat.open(ada.userId);
    await attack({ name: 'devices.takeBundles', lie, provoke: () => client.chat.send('to keys that are odd') });
    return client;
  },
};

const attacked = [
  ...METHODS.map(({ name, result }) => [name, result] as const),
  [delivered.name, delivered.params] as const,
].filter(([name, schema]) => fieldsOf(schema).length > 0 && !ELSEWHERE.has(name) && !BEHIND_OTHERS.has(name));

function faultsOf(client: HeadlessClient): unknown[] {
  return client.faults.filter((fault) => !(fault instanceof ProtocolError || fault instanceof UnknownSender));
}

const saying = ({ path, value }: Lie) => `${path.join('.')} is ${JSON.stringify(value)?.slice(0, 60)}`;

it('names methods that there are', () => {
  const names = new Set<string>(METHODS.map(({ name }) => name));
  expect([...ELSEWHERE, ...Object.keys(ONCE)].filter((name) => !names.has(name))).toEqual([]);
});

it.each(attacked.filter(([name]) => !(name in ONCE)))('any %s', { timeout: 60_000 }, async (name, schema) => {
  for (const lie of liesAbout(schema)) {
    const ask = PROVOKED[name];
    await attack({ name, lie, provoke: ask === undefined ? comeBack : await onLine(ask) });
    expect(faultsOf(ben), saying(lie)).toEqual([]);
  }
  await comeBack();
  ben = await ben.reopen(line.origin);
  await ben.online();
  await ben.chat.open(ada.userId);
  await worksOn(ben);
  expect(faultsOf(ben)).toEqual([]);
  for (const { sentAt, order, state } of ben.chat.messages) {
    if (state === 'queued') continue;
    expect(Math.abs(sentAt - Date.now())).toBeLessThan(3_600_000);
    expect(order).toBeLessThan(2 * Date.now() * 1000);
  }
});

it.each(attacked.filter(([name]) => name in ONCE))('any %s', { timeout: 60_000 }, async (name, schema) => {
  for (const lie of fewOf(liesAbout(schema))) {
    let client = await ONCE[name]!(lie);
    expect(faultsOf(client), saying(lie)).toEqual([]);
    client = await client.reopen(line.origin);
    await client.online();
    await client.chat.open(ada.userId);
    await ada.chat.open(client.userId);
    await worksOn(client).catch((error: unknown) => {
      throw new Error(saying(lie), { cause: error });
    });
    expect(faultsOf(client), saying(lie)).toEqual([]);
    client.close();
  }
  await ada.chat.open(ben.userId);
});
