import type { SessionType } from '@privacyresearch/libsignal-protocol-typescript';
import {
  sessionTypeArrayBufferToString,
  sessionTypeStringToArrayBuffer,
} from '@privacyresearch/libsignal-protocol-typescript/lib/session-record.js';
import { toBase64 } from '../bytes.ts';
import type { SessionState } from './session-state.ts';
import type { RatchetMessage } from './wire-message.ts';

/** A session as the library works on it. */
export type LibrarySession = SessionType<ArrayBuffer>;

type Chains = SessionState['chains'];
type Chain = Chains[string];

/**
 * A copy of a session for one operation of the library, and the way back. Only what the operation touches is turned
 * into buffers: at most three chains, and of their skipped keys only the one asked for, as there may be 2,000. The
 * list of old chains begins empty and is only added to; what names the session never changes.
 */
export class WorkingCopy {
  readonly session: LibrarySession;
  readonly #original: SessionState;
  readonly #touched: ReadonlySet<string>;
  /** Skipped keys that stay text meanwhile, by chain. */
  readonly #resting = new Map<string, Chain['messageKeys']>();

  /** @param message the one to decrypt; without, the copy serves to encrypt */
  constructor(original: SessionState, message?: RatchetMessage) {
    const { ephemeralKeyPair, lastRemoteEphemeralKey } = original.currentRatchet;
    this.#original = original;
    this.#touched = new Set([
      ...(ephemeralKeyPair === undefined ? [] : [ephemeralKeyPair.pubKey]),
      ...(message === undefined ? [] : [lastRemoteEphemeralKey, toBase64(message.ephemeralKey)]),
    ]);
    const chains: Chains = {};
    for (const key of this.#touched) {
      const chain = original.chains[key];
      if (chain !== undefined) chains[key] = this.#withoutResting(key, chain, message?.counter);
    }
    const { closed, remoteIdentityKey } = original.indexInfo;
    const indexInfo = { closed, remoteIdentityKey };
    this.session = sessionTypeStringToArrayBuffer({ ...original, indexInfo, oldRatchetList: [], chains });
  }

  /** The session as it is now, as text. */
  state(): SessionState {
    const changed = sessionTypeArrayBufferToString(this.session);
    for (const [key, messageKeys] of this.#resting) {
      const chain = changed.chains[key];
      if (chain !== undefined) chain.messageKeys = { ...messageKeys, ...chain.messageKeys };
    }
    const chains: Chains = {};
    for (const [key, chain] of Object.entries(this.#original.chains)) {
      if (!this.#touched.has(key)) chains[key] = chain;
      else if (changed.chains[key] !== undefined) chains[key] = changed.chains[key];
    }
    const { indexInfo, oldRatchetList } = this.#original;
    return {
      ...changed,
      indexInfo,
      oldRatchetList: [...oldRatchetList, ...changed.oldRatchetList],
      chains: { ...chains, ...changed.chains },
    };
  }

  #withoutResting(key: string, chain: Chain, counter: number | undefined): Chain {
    const { [counter ?? -1]: wanted, ...resting } = chain.messageKeys;
    this.#resting.set(key, resting);
    return { ...chain, messageKeys: wanted === undefined || counter === undefined ? {} : { [counter]: wanted } };
  }
}
