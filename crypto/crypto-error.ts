/** Every way in which this folder refuses, as a closed union. */
export type CryptoErrorCode =
  /** Not of the form it must have: bytes, base64, JSON, a key, an id. */
  | 'malformed'
  /** Made by a newer version of Teahouse. */
  | 'unsupported'
  /** More than fits into one message. */
  | 'too_large'
  /** Authentication failed: altered on the way, or older than the keys that are kept. */
  | 'tampered'
  /** This very message was accepted before. */
  | 'replayed'
  /** More messages were skipped at once than keys may be kept for. */
  | 'too_far_ahead'
  /** There is no session with that device: start one, or (receiving) ask for the message again. */
  | 'no_session'
  /** The message needs a prekey that this device does not have (any more). */
  | 'prekey_missing'
  /** The device's identity key is not the one on the verified device list, or not the one known before. */
  | 'identity_changed'
  /** A signature does not verify. */
  | 'signature_invalid'
  /** A public key of low order, which makes a shared secret predictable (RFC 7748 section 6.1) or a signature forgeable. */
  | 'key_weak'
  /** The device list is another account's. */
  | 'list_wrong_user'
  /** The device list is signed by another account key than the one known. */
  | 'account_key_changed'
  /** The device list is older than one seen before. */
  | 'list_outdated'
  /** The device list differs from one seen before that has the same version. */
  | 'list_conflict'
  /** The device list names a device or a key twice. */
  | 'list_duplicate'
  /** The device list is dated later than clocks may differ. */
  | 'list_from_future'
  /** The profile is another account's. */
  | 'profile_wrong_user';

/** A refusal. Its text never carries content, keys or ids; `cause` is never set. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  static is(error: unknown, code?: CryptoErrorCode): error is CryptoError {
    return error instanceof CryptoError && (code === undefined || error.code === code);
  }
}
