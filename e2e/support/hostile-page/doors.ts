import { Account, checkInvitation, checkReset, Role } from '../../../protocol/accounts.ts';
import { ErrorCode, fromWire } from '../../../protocol/errors.ts';
import App from '../../../renderer/app/App.svelte';
import Lazy from '../../../renderer/app/Lazy.svelte';
import Root from '../../../renderer/app/Root.svelte';
import JoinPage from '../../../renderer/modules/accounts/JoinPage.svelte';
import ResetPage from '../../../renderer/modules/accounts/ResetPage.svelte';
import { fake, NUMBERS, nothing, objects, one, type Drawing, type Values } from './made.ts';

const online = { state: { kind: 'online' }, shown: { kind: 'online' }, wasOnline: true };

/** Every stage before one is inside, and what is said to a guest who is. */
function stages(): Values[] {
  const accounts = objects(Account);
  return [
    { kind: 'starting' },
    { kind: 'elsewhere', replaced: false },
    { kind: 'elsewhere', replaced: true },
    { kind: 'storage-failed' },
    { kind: 'welcome' },
    ...accounts.flatMap(({ username }) => [false, true].map((ended) => ({ kind: 'signed-out', username, ended }))),
    ...accounts.map((account) => ({ kind: 'linking', account, code: '12345 67890', expiresAt: 0 })),
    ...NUMBERS.map((expiresAt) => ({ kind: 'linking', account: accounts[0], code: '12345 67890', expiresAt })),
    ...[false, true].map((late) => ({ kind: 'receiving', account: accounts[0], late })),
    { kind: 'link-refused' },
    ...accounts.map((account) => ({ kind: 'ready', account: { ...account, role: Role.enum.guest } })),
  ];
}

const app = (stage: Values, line: Values = online) =>
  fake({ accounts: fake({ stage }), line, host: fake({ onDeepLink: () => nothing }) });
const at = (page: string) => fake({ route: { page, userId: null } });
const whole = (drawings: readonly Drawing[]) => drawings.map((drawing) => ({ ...drawing, whole: true }));
const links = (accounts: Values) => ({ accounts: fake(accounts), onread: nothing, onback: nothing });

/** What a server says of a link, and every refusal of it. */
function followed(): Drawing[] {
  const refused = ErrorCode.options.map((code) => ({ code }));
  const details = { retryAfterMs: 86_400_000, issues: [], missing: [], gone: [], users: [], min: 0, max: 0 };
  const refuse = (code: unknown) => () =>
    Promise.reject(fromWire({ code: ErrorCode.parse(code), message: 'W'.repeat(500), details }));
  return [
    ...one(JoinPage, objects(checkInvitation.result), (info) => ({
      ...links({ checkInvitation: () => Promise.resolve(info) }),
      invitation: 'token',
    })),
    ...one(ResetPage, objects(checkReset.result), (info) => ({
      ...links({ checkReset: () => Promise.resolve(info) }),
      reset: 'token',
    })),
    ...one(JoinPage, refused, ({ code }) => ({ ...links({ checkInvitation: refuse(code) }), invitation: 'token' })),
    ...one(ResetPage, refused, ({ code }) => ({ ...links({ checkReset: refuse(code) }), reset: 'token' })),
  ];
}

function outside(): Drawing[] {
  return [
    ...one(App, stages(), (stage) => ({ app: app(stage), router: at('chats'), preferences: {}, version: '0' })),
    ...one(App, [{ page: 'join-unreadable' }], ({ page }) => ({
      app: app({ kind: 'welcome' }),
      router: at(String(page)),
      preferences: {},
      version: '0',
    })),
    ...one(App, [{ state: { kind: 'unsupported' } }], (line) => ({
      app: app({ kind: 'starting' }, line),
      router: at('chats'),
      preferences: {},
      version: '0',
    })),
    ...one(Root, [{ serverOrigin: null }], () => ({
      host: fake({ serverOrigin: () => Promise.resolve(null) }),
      compose: nothing,
      version: '0',
    })),
    ...one(Lazy, [{ load: 'fails' }], () => ({ load: () => Promise.reject(new Error('gone')), props: {} })),
  ];
}

/** Everything that is shown before one is inside. */
export const DOORS: Readonly<Record<string, () => Drawing[]>> = {
  'links that were followed': () => whole(followed()),
  'before one is inside': () => whole(outside()),
};
