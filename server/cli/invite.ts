import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Role } from '../../protocol/accounts.ts';
import { readAddress } from '../address-file.ts';
import { readConfig, type Config } from '../config.ts';
import { createInvitations, invitationLink } from '../modules/accounts/index.ts';
import { explainStorage } from '../store/explain-storage.ts';
import { openStore, type Store } from '../store/store.ts';
import { UsageError, type Command } from './command.ts';

const VALID_HOURS = 7 * 24;
const MAX_COUNT = 1000;

/** Makes invitation links for the server of a data folder. */
export const invite: Command = {
  summary: 'print invitation links, each for one person and seven days',
  usage: 'invite [--count N] [--role admin|member|guest] [--data DIR] [--json]',
  async run(argv, { env, say }) {
    const { count, role, json, data } = readOptions(argv);
    const config = readConfig(data === undefined ? [] : ['--data', data], env);
    requireData(config);
    const origin = (await readAddress(config.dataDir))?.origin ?? config.origin;
    if (origin === undefined) {
      throw new UsageError(
        `No server is running on the data folder ${config.dataDir}. Start it, or name another folder with --data, or set TEAHOUSE_ORIGIN to the address that the links shall have.`,
      );
    }
    const store = await open(config);
    try {
      const wanted = { count, role, validHours: VALID_HOURS, createdBy: null, requestId: null, now: Date.now() };
      const { invitations, expiresAt } = await createInvitations(store.db, wanted);
      const links = invitations.map((token) => invitationLink(origin, token));
      if (json) say(JSON.stringify({ role, expiresAt: new Date(expiresAt).toISOString(), links }));
      else for (const link of links) say(link);
    } catch (error) {
      throw told(error, config);
    } finally {
      await store.close();
    }
  },
};

async function open(config: Config): Promise<Store> {
  try {
    return await openStore({ dataDir: config.dataDir, databaseUrl: config.databaseUrl });
  } catch (error) {
    throw told(error, config);
  }
}

/** A failure of the storage in words for the person; anything else as it is. */
function told(error: unknown, config: Config): unknown {
  const words = explainStorage(error, config);
  return words === null ? error : new UsageError(words);
}

/** So that a mistyped folder is told, instead of a new and empty one made. */
function requireData(config: Config): void {
  if (config.databaseUrl !== undefined || existsSync(join(config.dataDir, 'teahouse.db'))) return;
  throw new UsageError(
    `There is no server’s data in ${config.dataDir}. Name the folder with --data (or TEAHOUSE_DATA), as the server does.`,
  );
}

function readOptions(argv: readonly string[]) {
  const { values } = parse(argv);
  const count = Number(values.count ?? '1');
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT)
    throw new UsageError(`--count must be from 1 to ${MAX_COUNT}.`);
  const role = Role.safeParse(values.role ?? 'member');
  if (!role.success) throw new UsageError('--role must be admin, member or guest.');
  return { count, role: role.data, json: values.json ?? false, data: values.data };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        count: { type: 'string' },
        role: { type: 'string' },
        data: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('.')[0]}. Usage: ${invite.usage}`);
  }
}
