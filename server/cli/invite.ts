import { parseArgs } from 'node:util';
import { Role } from '../../protocol/accounts.ts';
import { createInvitations, invitationLink, noteAct } from '../modules/accounts/index.ts';
import { UsageError, type Command } from './command.ts';
import { requireOrigin, withStore } from './data-folder.ts';

const VALID_HOURS = 7 * 24;
const MAX_COUNT = 1000;

/** Makes invitation links for the server of a data folder. */
export const invite: Command = {
  summary: 'print invitation links, each for one person and seven days',
  usage: 'invite [--count N] [--role admin|member|guest] [--data DIR] [--json]',
  async run(argv, { env, say }) {
    const { count, role, json, data } = readOptions(argv);
    await withStore(data, env, async (store, config) => {
      const origin = await requireOrigin(config);
      const wanted = { count, role, validHours: VALID_HOURS, createdBy: null, requestId: null, now: Date.now() };
      const { invitations, expiresAt } = await store.transaction(async (trx) => {
        await noteAct(trx, { action: 'invite', role, count, at: wanted.now });
        return createInvitations(trx, wanted);
      });
      const links = invitations.map((token) => invitationLink(origin, token));
      if (json) say(JSON.stringify({ role, expiresAt: new Date(expiresAt).toISOString(), links }));
      else for (const link of links) say(link);
    });
  },
};

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
