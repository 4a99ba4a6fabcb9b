import { parseArgs } from 'node:util';
import type { AccountStatus } from '../../protocol/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { SessionId, UserId } from '../../protocol/ids.ts';
import { changeStatus, createReset, findPeople, noteAct, resetLink } from '../modules/accounts/index.ts';
import { emptyGoneQueues } from '../modules/chat/index.ts';
import type { Trx } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { UsageError, type Command } from './command.ts';
import { requireOrigin, withStore } from './data-folder.ts';

/** People in one page of the list. */
const PAGE = 200;
const WORDS: Readonly<Record<AccountStatus, string>> = {
  active: 'reinstated',
  suspended: 'suspended',
  removed: 'removed',
};

/** Lists accounts. */
export const people: Command = {
  summary: 'list accounts, or those whose name holds TEXT',
  usage: 'people [TEXT] [--data DIR] [--json]',
  async run(argv, { env, say }) {
    const { data, json, name } = readOptions(argv, people);
    await withStore(data, env, async ({ db }) => {
      let after: UserId | undefined;
      for (let more = true; more;) {
        const page = await findPeople(db, name ?? '', PAGE, after);
        for (const { username, displayName, role, status, lastSeenAt } of page) {
          const lastSeen = lastSeenAt === null ? 'never' : new Date(lastSeenAt).toISOString();
          if (json) say(JSON.stringify({ username, displayName, role, status, lastSeenAt: lastSeen }));
          else say([username, role, status, lastSeen, displayName].join('\t'));
        }
        more = page.length === PAGE;
        after = page.at(-1)?.userId;
      }
    });
  },
};

export const suspend = statusCommand('suspend', 'suspended', 'sign an account out, and keep it from signing in');
export const reinstate = statusCommand('reinstate', 'active', 'let a suspended account in again');
export const remove = statusCommand('remove', 'removed', 'delete an account for good; its username stays taken', true);

/** Prints a link to a new password. */
export const resetPassword: Command = {
  summary: 'print a link for a new password, for one day',
  usage: 'reset-password NAME [--data DIR] [--json]',
  async run(argv, { env, say }) {
    const { data, json, name } = readOptions(argv, resetPassword);
    await withStore(data, env, async (store, config) => {
      const origin = await requireOrigin(config);
      const userId = await requireUser(store, name, resetPassword);
      const { reset, expiresAt } = await store.transaction(async (trx) => {
        await noteAct(trx, { action: 'reset-password', of: userId, at: Date.now() });
        return createReset(trx, userId, null, Date.now());
      });
      const link = resetLink(origin, reset);
      say(json ? JSON.stringify({ link, expiresAt: new Date(expiresAt).toISOString() }) : link);
    });
  },
};

function statusCommand(name: string, status: AccountStatus, summary: string, asks = false): Command {
  const command: Command = {
    summary,
    usage: `${name} NAME ${asks ? '--yes ' : ''}[--data DIR]`,
    async run(argv, { env, say }) {
      const options = readOptions(argv, command);
      if (asks && !options.yes)
        throw new UsageError(`This cannot be undone. Add --yes if you mean it. Usage: ${command.usage}`);
      await withStore(options.data, env, async (store) => {
        const userId = await requireUser(store, options.name, command);
        const { changed, ended } = await change(store, userId, status, name);
        const inEffect = ended.length > 0 ? ' Its connections close within seconds.' : '';
        // A server that runs does not know of them before its next start or day; what is cut off here it finds then.
        if (status === 'removed') await emptyGoneQueues(store, new AbortController().signal);
        say(
          changed ? `${options.name} is ${WORDS[status]}.${inEffect}` : `${options.name} was ${WORDS[status]} before.`,
        );
      });
    },
  };
  return command;
}

async function change(store: Store, userId: UserId, status: AccountStatus, action: string) {
  try {
    const alongside = async (trx: Trx, ended: readonly SessionId[]) => {
      await tellServer(trx, ended);
      await noteAct(trx, { action, of: userId, at: Date.now() });
    };
    return await changeStatus({ store, alongside }, userId, status, null);
  } catch (error) {
    if (!ProtocolError.is(error, 'last_administrator')) throw error;
    throw new UsageError('This is the only administrator. Make another one first: invite --role admin');
  }
}

/** The running server looks here every few seconds. */
async function tellServer(trx: Trx, ended: readonly SessionId[]): Promise<void> {
  if (ended.length === 0) return;
  await trx
    .insertInto('endedSessions')
    .values(ended.map((sessionId) => ({ sessionId })))
    .execute();
}

async function requireUser({ db }: Store, name: string | undefined, command: Command): Promise<UserId> {
  if (name === undefined) throw new UsageError(`Name the account. Usage: ${command.usage}`);
  const row = await db
    .selectFrom('accounts')
    .select(['userId', 'status'])
    .where('username', '=', name.replace(/^@/, '').toLowerCase())
    .executeTakeFirst();
  if (!row) throw new UsageError(`There is no account with the username ${name}. This lists them: people`);
  if (row.status === 'removed') throw new UsageError(`${name} was removed before.`);
  return row.userId;
}

function readOptions(argv: readonly string[], command: Command) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { data: { type: 'string' }, json: { type: 'boolean' }, yes: { type: 'boolean' } },
    });
    if (positionals.length > 1) throw new Error('Only one name at a time');
    return { data: values.data, json: values.json ?? false, yes: values.yes ?? false, name: positionals[0] };
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('.')[0]}. Usage: ${command.usage}`);
  }
}
