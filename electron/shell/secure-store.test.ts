import { describe, expect, it, vi } from 'vitest';
import { SecureStore } from './secure-store.ts';

/** Seals by a visible change, as far as a test needs it. */
function storage(backend: string, available = true) {
  return {
    isAsyncEncryptionAvailable: vi.fn(async () => available),
    getSelectedStorageBackend: () => backend as 'basic_text',
    encryptStringAsync: vi.fn(async (text: string) => Buffer.from(`sealed:${text}`)),
    decryptStringAsync: vi.fn(async (bytes: Buffer) => {
      const text = bytes.toString();
      if (!text.startsWith('sealed:')) throw new Error('decryption of 0xdeadbeef failed');
      return { shouldReEncrypt: false, result: text.slice('sealed:'.length) };
    }),
  };
}

describe('SecureStore', () => {
  it('seals and opens any bytes', async () => {
    const store = new SecureStore({ safeStorage: storage('gnome_libsecret'), platform: 'linux' });
    const secret = Uint8Array.from({ length: 256 }, (_, index) => index);
    const sealed = await store.seal(secret);
    expect(Buffer.from(sealed).includes(Buffer.from(secret))).toBe(false);
    expect(await store.open(sealed)).toEqual(secret);
  });

  it.each([
    ['linux', 'gnome_libsecret', true, true],
    ['linux', 'kwallet6', true, true],
    ['linux', 'basic_text', true, false],
    ['linux', 'unknown', true, false],
    ['linux', 'gnome_libsecret', false, false],
    ['darwin', 'unknown', true, true],
    ['win32', 'unknown', true, true],
    ['win32', 'unknown', false, false],
  ] as const)('on %s with %s (available: %s) is protected: %s', async (platform, backend, available, expected) => {
    const store = new SecureStore({ safeStorage: storage(backend, available), platform });
    expect(await store.isProtected()).toBe(expected);
  });

  it('is unprotected if the system fails to tell', async () => {
    const safeStorage = storage('gnome_libsecret');
    safeStorage.isAsyncEncryptionAvailable.mockRejectedValue(new Error('no bus'));
    expect(await new SecureStore({ safeStorage, platform: 'linux' }).isProtected()).toBe(false);
  });

  it('refuses to seal or open without protection, rather than pretend', async () => {
    const safeStorage = storage('basic_text');
    const store = new SecureStore({ safeStorage, platform: 'linux' });
    await expect(store.seal(new Uint8Array(1))).rejects.toMatchObject({ code: 'secrets_unprotected' });
    await expect(store.open(new Uint8Array(1))).rejects.toMatchObject({ code: 'secrets_unprotected' });
    expect(safeStorage.encryptStringAsync).not.toHaveBeenCalled();
    expect(safeStorage.decryptStringAsync).not.toHaveBeenCalled();
  });

  it('says that a secret is unreadable, and nothing about it', async () => {
    const store = new SecureStore({ safeStorage: storage('kwallet6'), platform: 'linux' });
    const refused = store.open(Buffer.from('damaged'));
    await expect(refused).rejects.toMatchObject({ code: 'secret_unreadable' });
    await expect(refused).rejects.not.toThrow('deadbeef');
  });
});
