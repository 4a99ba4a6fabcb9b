import * as wire from '../../../protocol/administration.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { Host } from '../../host/host.ts';
import type { Connection } from '../../net/connection.ts';
import { retrying } from '../../net/retrying.ts';
import type { AdministrationController } from './model.ts';

/** People in one answer. */
const PAGE = 50;

/** See `AdministrationController`. */
export function createAdministration({
  connection,
  host,
}: {
  readonly connection: Connection;
  readonly host: Host;
}): AdministrationController {
  const ask = <T>(attempt: () => Promise<T>) => retrying(connection, attempt);
  return {
    people: (text, after) => {
      const from = after === null ? {} : { after };
      return connection.request(wire.managedPeople, {
        text: text
          .replace(/\p{Cc}/gu, ' ')
          .trim()
          .slice(0, 64),
        limit: PAGE,
        ...from,
      });
    },
    suspend: async (userId) => void (await ask(() => connection.request(wire.suspend, { userId }))),
    reinstate: async (userId) => void (await ask(() => connection.request(wire.reinstate, { userId }))),
    remove: async (userId) => void (await ask(() => connection.request(wire.remove, { userId }))),
    async resetPassword(userId) {
      const params = { userId, idempotencyId: IdempotencyId.parse(crypto.randomUUID()) };
      const { reset, expiresAt } = await ask(() => connection.request(wire.resetPassword, params));
      return { link: `${await host.serverOrigin()}/#/reset/${reset}`, expiresAt };
    },
  };
}
