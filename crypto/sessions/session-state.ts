import type { SessionType } from '@privacyresearch/libsignal-protocol-typescript';
import { CryptoError } from '../crypto-error.ts';
import type { SessionRecord } from './session-store.ts';

/** Receiver chains kept in a session: the current one and the four before it, for messages that come late. */
export const MAX_RECEIVER_CHAINS = 5;
/** Keys of skipped messages kept in a whole record. */
export const MAX_SKIPPED_KEYS = 2000;
/** Sessions kept besides the open one, for messages that were under way when it was replaced. */
export const MAX_ARCHIVED_SESSIONS = 10;
/** Base keys remembered of sessions that were dropped, so that their first message cannot be replayed. */
export const MAX_RETIRED_BASE_KEYS = 100;

/** One session in the library's text form (base64 instead of buffers). */
export type SessionState = SessionType<string>;

export interface Session {
  readonly state: SessionState;
  /** Of a session the other side began: the prekeys its first message named. `prekeyId` 0 is none. */
  readonly origin?: { readonly prekeyId: number; readonly signedPrekeyId: number };
}

/** All sessions with one device. New messages go out in the open one; the archived ones only receive. */
export interface Sessions {
  readonly open: Session | null;
  /** Newest first. */
  readonly archived: readonly Session[];
  readonly retiredBaseKeys: readonly string[];
}

interface Stored extends Sessions {
  readonly version: 1;
}

const NONE: Sessions = { open: null, archived: [], retiredBaseKeys: [] };

/** Throws `malformed` on a record of an unknown version. Records come from local storage, which authenticates them. */
export function parseSessions(record: SessionRecord | undefined): Sessions {
  if (record === undefined) return NONE;
  const stored = JSON.parse(record) as Stored;
  if (stored.version !== 1) throw new CryptoError('malformed', 'a session record of an unknown version');
  return stored;
}

/** Writes a record within its bounds, whatever the sessions hold. */
export function serialiseSessions({ open, archived, retiredBaseKeys }: Sessions): SessionRecord {
  const kept = archived.slice(0, MAX_ARCHIVED_SESSIONS);
  const dropped = archived.slice(MAX_ARCHIVED_SESSIONS).flatMap(baseKeyOfTheirs);
  const sessions = [...(open === null ? [] : [open]), ...kept];
  for (const session of sessions) dropOldChains(session.state);
  dropOldSkippedKeys(sessions.map((session) => session.state));
  const stored: Stored = {
    version: 1,
    open,
    archived: kept,
    retiredBaseKeys: [...dropped, ...retiredBaseKeys].slice(0, MAX_RETIRED_BASE_KEYS),
  };
  return JSON.stringify(stored);
}

/** Makes this session the open one and archives the one that was. */
export function withOpen(sessions: Sessions, next: Session, replaces?: Session): Sessions {
  const { open, archived, retiredBaseKeys } = sessions;
  const others = [...(open === null ? [] : [open]), ...archived].filter((session) => session !== replaces);
  return { open: next, archived: others, retiredBaseKeys };
}

function baseKeyOfTheirs({ state, origin }: Session): string[] {
  return origin === undefined || state.indexInfo.baseKey === undefined ? [] : [state.indexInfo.baseKey];
}

/** The library lists every receiver chain but the current in `oldRatchetList`, oldest first. */
function dropOldChains(state: SessionState): void {
  const excess = state.oldRatchetList.length - (MAX_RECEIVER_CHAINS - 1);
  if (excess <= 0) return;
  for (const { ephemeralKey } of state.oldRatchetList.splice(0, excess)) delete state.chains[ephemeralKey];
}

/** Keeps the newest keys: of the newest session, of its newest chain, with the highest counters. */
function dropOldSkippedKeys(states: readonly SessionState[]): void {
  let budget = MAX_SKIPPED_KEYS;
  for (const state of states) {
    for (const { messageKeys } of Object.values(state.chains).reverse()) {
      const counters = Object.keys(messageKeys) as unknown as number[];
      for (const counter of counters.slice(0, Math.max(0, counters.length - budget))) delete messageKeys[counter];
      budget = Math.max(0, budget - counters.length);
    }
  }
}
