import type { SafeStorage } from 'electron';
import { BridgeError } from '../../protocol/ipc/bridge.ts';

type SystemStorage = Pick<
  SafeStorage,
  'isAsyncEncryptionAvailable' | 'getSelectedStorageBackend' | 'encryptStringAsync' | 'decryptStringAsync'
>;

export interface SecureStoreOptions {
  readonly safeStorage: SystemStorage;
  readonly platform: NodeJS.Platform;
}

/** Seals small secrets with a key that the operating system keeps for this user: Keychain, DPAPI, Secret Service, KWallet. */
export class SecureStore {
  readonly #storage: SystemStorage;
  readonly #platform: NodeJS.Platform;

  constructor({ safeStorage, platform }: SecureStoreOptions) {
    this.#storage = safeStorage;
    this.#platform = platform;
  }

  /**
   * Whether the system really keeps a key. On Linux without a keyring Electron "encrypts" with a key that is the same
   * for everybody (`basic_text`), which protects nothing. Only meaningful once the app is ready.
   */
  async isProtected(): Promise<boolean> {
    try {
      if (!(await this.#storage.isAsyncEncryptionAvailable())) return false;
    } catch {
      return false;
    }
    if (this.#platform !== 'linux') return true;
    return !['basic_text', 'unknown'].includes(this.#storage.getSelectedStorageBackend());
  }

  /** Errors: `secrets_unprotected`. */
  async seal(plain: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    await this.#requireProtection();
    return new Uint8Array(await this.#storage.encryptStringAsync(Buffer.from(plain).toString('base64')));
  }

  /** Errors: `secrets_unprotected`, `secret_unreadable`. */
  async open(sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    await this.#requireProtection();
    try {
      const { result } = await this.#storage.decryptStringAsync(Buffer.from(sealed));
      return new Uint8Array(Buffer.from(result, 'base64'));
    } catch {
      throw new BridgeError('secret_unreadable', 'The secret was sealed elsewhere or is damaged.');
    }
  }

  async #requireProtection(): Promise<void> {
    if (!(await this.isProtected())) {
      throw new BridgeError('secrets_unprotected', 'The operating system keeps no key for this user.');
    }
  }
}
