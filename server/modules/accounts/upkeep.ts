import { logActs } from './acts.ts';
import type { AccountsDeps } from './deps.ts';
import { pruneResets } from './password-resets.ts';
import { expireSessions } from './sessions.ts';

/** How soon a session that the command line ended loses its connection, and its acts are in the log. Milliseconds. */
const LOOK_EVERY_MS = 5000;
/** How often sessions are looked through for expired ones. Milliseconds. */
const EXPIRE_EVERY_MS = 3_600_000;

/** Ends what has expired, and what another process ended. Returns the stop. */
export function startUpkeep(deps: AccountsDeps): () => Promise<void> {
  let running = Promise.resolve();
  const run = (work: (deps: AccountsDeps) => Promise<void>) => () => {
    running = running
      .then(() => work(deps))
      .catch((error: unknown) => deps.log.error({ err: error }, 'the upkeep of sessions failed'));
  };
  const timers = [
    setInterval(run(closeEnded), LOOK_EVERY_MS).unref(),
    setInterval(run(logActs), LOOK_EVERY_MS).unref(),
    setInterval(run(expire), EXPIRE_EVERY_MS).unref(),
  ];
  run(logActs)();
  run(expire)();
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await running;
  };
}

/** Closes the connections of sessions that the command line ended. */
export async function closeEnded({ store, bus }: AccountsDeps): Promise<void> {
  const rows = await store.db.selectFrom('endedSessions').select('sessionId').limit(1000).execute();
  if (rows.length === 0) return;
  for (const { sessionId } of rows) bus.publish('sessionRevoked', { sessionId });
  const ids = rows.map(({ sessionId }) => sessionId);
  await store.db.deleteFrom('endedSessions').where('sessionId', 'in', ids).execute();
}

async function expire({ store, bus, agesBy, sessionLifetime, liveSessions }: AccountsDeps): Promise<void> {
  for (const sessionId of await expireSessions(store.db, sessionLifetime, liveSessions(), agesBy()))
    bus.publish('sessionRevoked', { sessionId });
  await pruneResets(store.db, agesBy());
}
