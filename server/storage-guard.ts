import { signIn, signOut, revokeSession } from '../protocol/accounts.ts';
import { publishList } from '../protocol/devices.ts';
import type { StorageHealth } from './store/storage-health.ts';
import type { Authenticator } from './ws/hello.ts';
import type { RegisteredMethod } from './ws/method.ts';

/**
 * Keyed methods that go on where no space is left. Who signs in fetches and acknowledges, and a list without a lost device
 * empties its queue: both free space, and cost little themselves.
 */
const FREES_SPACE: ReadonlySet<string> = new Set([signIn.name, signOut.name, revokeSession.name, publishList.name]);

/**
 * Refuses what makes the data grow while there is no space, any write while the database is damaged, and answers a
 * failure of the storage with a code of its own.
 */
export function guardStorage(registered: RegisteredMethod, health: StorageHealth): RegisteredMethod {
  const { method, replay, handle } = registered;
  // What is kept with its connection is in memory alone.
  const grows = replay === 'own' && !FREES_SPACE.has(method.name);
  const writes = method.effect !== 'query' && replay !== 'connection';
  return {
    ...registered,
    async handle(params, caller) {
      if (grows) health.requireSpace();
      else if (writes) health.requireSound();
      try {
        const result = await handle(params, caller);
        if (grows) health.noteGrowth();
        return result;
      } catch (error) {
        throw health.note(error);
      }
    },
  };
}

/** The same for hello. */
export function guardAuthenticator(authenticator: Authenticator, health: StorageHealth): Authenticator {
  return {
    isLive: (session) => authenticator.isLive(session),
    async authenticate(token, client) {
      try {
        return await authenticator.authenticate(token, client);
      } catch (error) {
        throw health.note(error);
      }
    },
  };
}
