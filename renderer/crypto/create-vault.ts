import type { StorageOptions } from '../db/registry.ts';
import { endCall, ongoingCalls, settleCalls } from './operations/calls.ts';
import { enqueueCall, enqueueText } from './operations/enqueue.ts';
import { conversations, messages, recentCalls, setDraft } from './operations/history.ts';
import { completeHandOver } from './operations/hand-over.ts';
import { abandonLink, beginLink, completeLink, deviceHeld, prepareLink } from './operations/link.ts';
import {
  changeOwnList,
  listPublished,
  listRefused,
  listToPublish,
  outdatedLists,
  ownDevices,
  ownLinkCode,
  updateLists,
} from './operations/lists.ts';
import { discard, outbox, retry, sendFailed, sent } from './operations/outbox.ts';
import { dismissNameChange, forgetPeople, learnPeople, people, profileToPublish } from './operations/people.ts';
import { prekeysPublished, prekeysRefused, prekeysToPublish } from './operations/prekeys.ts';
import { collectReceipts, markRead } from './operations/receipts.ts';
import { receive } from './operations/receive.ts';
import { sealWaiting } from './operations/seal-waiting.ts';
import { signedIn, signedOut, signInProof } from './operations/sign-in.ts';
import { prepareSignUp, signUpRefused } from './operations/sign-up.ts';
import { standingOf } from './operations/standing.ts';
import { startSessions } from './operations/start-sessions.ts';
import type { Profile } from './profile.ts';
import { Profiles } from './profiles.ts';
import { StorageGuard, type StorageGuardOptions } from './storage-guard.ts';
import type { Vault } from './vault.ts';

export interface VaultOptions extends StorageOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds before the storage is tried again after a failure; tests shorten it. */
  readonly storageWaitMs?: StorageGuardOptions['waitMs'];
  /** Whether the disk takes so many bytes, asked without touching a database. */
  readonly hasRoom?: (bytes: number) => Promise<boolean>;
}

/** Free on the disk before it is written again after a failure: what `Profiles.renewLog` writes, twice. Bytes. */
const ROOM_TO_GO_ON = 16 * 1024 * 1024;
/** With less than this a write would soon fail. Bytes. */
const ROOM_AT_START = 1024 * 1024;

/** Builds the vault over a storage. Operations run strictly one after the other, so that no ratchet is read while it turns. */
export function createVault({ now, storageWaitMs, hasRoom, ...storage }: VaultOptions): Vault {
  let profiles: Profiles | null = null;
  let load: (() => Promise<Profiles>) | null = null;
  let tail: Promise<unknown> = Promise.resolve();

  const queued = <T>(operation: () => Promise<T>): Promise<T> => {
    const result = tail.then(operation);
    tail = result.catch(() => undefined);
    return result;
  };
  const guard = new StorageGuard({
    recover: () =>
      queued(async () => {
        await needRoom(ROOM_TO_GO_ON);
        // What is kept in memory is what was committed; but a database that was closed under it has to be read anew.
        if (profiles?.isOpen !== true) {
          if (load === null) return;
          profiles?.close();
          profiles = await load();
        }
        await profiles.probe();
        await profiles.renewLog();
      }),
    ...(storageWaitMs && { waitMs: storageWaitMs }),
  });
  const needRoom = async (bytes: number): Promise<void> => {
    if ((await hasRoom?.(bytes)) === false) throw new DOMException('the disk is full', 'QuotaExceededError');
  };
  const guarded = <T>(operation: () => Promise<T>): Promise<T> => queued(() => guard.run(operation));
  const opened = (): Profiles => {
    if (profiles === null) throw new Error('the vault is not open');
    return profiles;
  };
  const current = (): Profile => {
    const profile = opened().current;
    if (profile === null) throw new Error('no account is open');
    return profile;
  };
  /** An operation on the accounts of this device. */
  const onAll =
    <A extends readonly unknown[], T>(operation: (profiles: Profiles, ...args: A) => Promise<T>) =>
    (...args: A) =>
      guarded(() => operation(opened(), ...args));
  /** An operation on the account that is open. */
  const onOne =
    <A extends readonly unknown[], T>(operation: (profile: Profile, ...args: A) => Promise<T>) =>
    (...args: A) =>
      guarded(() => operation(current(), ...args));
  /** As `onOne`, and nothing is written: a full disk can be read, unless the browser has closed the databases. */
  const readingOne =
    <A extends readonly unknown[], T>(operation: (profile: Profile, ...args: A) => Promise<T>) =>
    (...args: A) =>
      queued(() => guard.run(() => operation(current(), ...args), profiles?.isOpen === true));
  /** As `onOne`, and what the registry knows of it changes. */
  const onOneOfAll =
    <A extends readonly unknown[], T>(operation: (profiles: Profiles, profile: Profile, ...args: A) => Promise<T>) =>
    (...args: A) =>
      guarded(() => operation(opened(), current(), ...args));

  return {
    open: (secrets, home) =>
      queued(async () => {
        guard.reset();
        profiles?.close();
        load = async () => {
          const loaded = await Profiles.load(storage, now, secrets, home);
          try {
            await loaded.openLast();
          } catch (error) {
            loaded.close();
            throw error;
          }
          return loaded;
        };
        profiles = await load();
        return standingOf(profiles.current);
      }),
    close: () =>
      queued(async () => {
        guard.reset();
        load = null;
        profiles?.close();
      }),
    storageChange: (known) => guard.change(known),
    checkStorage: onAll(async (all) => {
      await needRoom(ROOM_AT_START);
      await all.probe();
    }),
    standing: () => queued(async () => standingOf(opened().current)),

    prepareSignUp: onAll(prepareSignUp),
    signUpRefused: onOne(signUpRefused),
    signInProof: onAll(signInProof),
    signedIn: onOneOfAll(signedIn),
    signedOut: onOneOfAll(signedOut),
    deviceHeld: onAll(deviceHeld),
    beginLink: onAll(beginLink),
    prepareLink: onOne(prepareLink),
    completeLink: onOneOfAll(completeLink),
    completeHandOver: onOneOfAll(completeHandOver),
    abandonLink: onOneOfAll(abandonLink),

    updateLists: onOne(updateLists),
    outdatedLists: onOne(outdatedLists),
    ownDevices: onOne(ownDevices),
    linkCode: onOne(ownLinkCode),
    changeOwnList: onOne(changeOwnList),
    listToPublish: onOne(listToPublish),
    listPublished: onOne(listPublished),
    listRefused: onOne(listRefused),

    startSessions: onOne(startSessions),
    prekeysToPublish: onOne(prekeysToPublish),
    prekeysPublished: onOne(prekeysPublished),
    prekeysRefused: onOne(prekeysRefused),

    people: onOne(people),
    learnPeople: onOne(learnPeople),
    forgetPeople: onOne(forgetPeople),
    dismissNameChange: onOne(dismissNameChange),
    profileToPublish: onOne(profileToPublish),

    conversations: readingOne(conversations),
    messages: readingOne(messages),
    recentCalls: readingOne(recentCalls),
    setDraft: onOne(setDraft),
    markRead: onOne(markRead),

    receive: onOne(receive),
    enqueueText: onOne(enqueueText),
    enqueueCall: onOne(enqueueCall),
    endCall: onOne(endCall),
    ongoingCalls: onOne(ongoingCalls),
    settleCalls: onOne(settleCalls),

    collectReceipts: onOne(collectReceipts),
    outbox: onOne(outbox),
    sealWaiting: onOne(sealWaiting),
    sent: onOne(sent),
    sendFailed: onOne(sendFailed),
    retry: onOne(retry),
    discard: onOne(discard),
  };
}
