import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SecretStore } from '../host/host.ts';
import { createVault } from './create-vault.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

const WORDS = 'the oolong is ready';

/** Every byte of every database on a disk, as text; CryptoKeys, which cannot be read, left out. */
async function dump(disk: IDBFactory): Promise<string> {
  const parts: string[] = [];
  for (const { name } of await disk.databases()) {
    const db = await done(disk.open(name!));
    for (const table of db.objectStoreNames) {
      const store = db.transaction(table).objectStore(table);
      const [rows, keys] = await Promise.all([done(store.getAll()), done(store.getAllKeys())]);
      parts.push(table, text(rows), text(keys));
    }
    db.close();
  }
  return parts.join('\n');
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : part));
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('failed')));
  });
}

describe('what is stored', () => {
  let ada: TestClient;
  let ben: TestClient;

  beforeEach(async () => {
    const relay = new Relay();
    ada = await TestClient.signUp(relay, 'adabyron');
    ben = await TestClient.signUp(relay, 'ben');
  });

  it('holds no words, names, tokens or private keys in the clear', async () => {
    const session = 'T0kenT0kenT0kenT0kenT0kenT0kenT0kenT0kenT0k';
    await ada.vault.signedIn({ account: ada.account, session });
    await ada.vault.learnPeople([{ ...ben.account, displayName: 'Benjamin Okafor' }]);
    await ada.write(ben, WORDS);
    await ben.fetch();
    await ada.vault.setDraft({ conversation: ben.userId, text: 'half a sentence' });
    await ada.enqueue(ben, 'waits in the outbox');
    for (const client of [ada, ben]) {
      const stored = await dump(client.disk);
      expect(stored).toContain(client === ada ? ben.userId : ada.userId);
      const secrets = [WORDS, 'half a sentence', 'waits in the outbox', 'Benjamin', 'adabyron', session, 'privateKey'];
      for (const secret of secrets) expect(stored).not.toContain(secret);
    }
  });

  it('cannot be moved to another place of the same database', async () => {
    await ada.write(ben, 'one');
    await ada.write(ben, 'two');
    await ada.vault.close();
    const { name } = (await ada.disk.databases()).find((database) => database.name !== 'teahouse')!;
    const db = await done(ada.disk.open(name!));
    const store = db.transaction('messages', 'readwrite').objectStore('messages');
    const [first, second] = await done(store.getAll());
    await done(store.put({ ...first, sealed: second.sealed }));
    db.close();
    await ada.restart();
    // Such a row is shown as unreadable, and takes no other with it.
    expect(await ada.texts(ben)).toEqual(expect.arrayContaining(['(unreadable)', 'two']));
    expect(await ada.texts(ben)).toHaveLength(2);
  });
});

describe('the key at rest', () => {
  /** As the shell's: here the sealing is only to be recognised. */
  function shell(): SecretStore & { readonly sealed: Uint8Array[] } {
    const sealed: Uint8Array[] = [];
    return {
      sealed,
      seal: async (plain) => {
        const result = plain.map((byte) => byte ^ 0x55);
        sealed.push(result);
        return result;
      },
      open: async (bytes) => bytes.map((byte) => byte ^ 0x55),
    };
  }

  const vaultOn = (disk: IDBFactory) => createVault({ indexedDB: disk, IDBKeyRange, now: () => 1_790_000_000_000 });
  const input = { invitation: 'A'.repeat(43), username: 'ada', displayName: 'Ada', deviceName: 'Test device' };

  it('is sealed by the shell where there is one, once, and opened by it again', async () => {
    const disk = new IDBFactory();
    const secrets = shell();
    const vault = vaultOn(disk);
    await vault.open(secrets, HOME);
    const prepared = await vault.prepareSignUp(input);
    await vault.close();
    const again = vaultOn(disk);
    await again.open(secrets, HOME);
    expect(await again.prepareSignUp(input)).toEqual(prepared);
    expect(secrets.sealed).toHaveLength(1);
    expect(secrets.sealed[0]).toHaveLength(32);
  });

  it('that the shell sealed is not replaced where the shell is missing', async () => {
    const disk = new IDBFactory();
    const vault = vaultOn(disk);
    await vault.open(shell(), HOME);
    await vault.close();
    await expect(vaultOn(disk).open(null, HOME)).rejects.toThrow('secret store');
  });

  it('made without a secret store is replaced as soon as there is one, also after an interruption', async () => {
    const relay = new Relay();
    const ada = await TestClient.signUp(relay, 'ada');
    const ben = await TestClient.signUp(relay, 'ben');
    await ada.write(ben, 'kept');
    await ada.enqueue(ben, 'waiting');
    const before = await ada.texts(ben);
    await ada.vault.close();

    const secrets = shell();
    const encrypt = crypto.subtle.encrypt.bind(crypto.subtle);
    let left = 60;
    const failing = vi.spyOn(crypto.subtle, 'encrypt').mockImplementation((...args) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error('the power is gone')) : encrypt(...args);
    });
    const first = vaultOn(ada.disk);
    await expect(first.open(secrets, HOME)).rejects.toThrow('the power is gone');
    failing.mockRestore();
    await expect(vaultOn(ada.disk).open(null, HOME), 'half of it needs the store').rejects.toThrow('secret store');

    ada.vault = vaultOn(ada.disk);
    expect(await ada.vault.open(secrets, HOME)).toMatchObject({ kind: 'ready', account: { username: 'ada' } });
    expect(await ada.texts(ben)).toEqual(before);
    await ada.flush();
    const db = await done(ada.disk.open('teahouse'));
    const rows = await done(db.transaction('keys').objectStore('keys').getAll());
    db.close();
    expect(rows.map(({ id, kind }: { id: string; kind: string }) => [id, kind])).toEqual([['rest-key', 'sealed']]);
    expect(secrets.sealed, 'the key that was begun with is gone on with').toHaveLength(1);
    await ada.vault.close();
    await expect(vaultOn(ada.disk).open(null, HOME)).rejects.toThrow('secret store');
  });

  it('of a browser cannot be read out', async () => {
    const disk = new IDBFactory();
    await vaultOn(disk).open(null, HOME);
    const db = await done(disk.open('teahouse'));
    const [row] = await done(db.transaction('keys').objectStore('keys').getAll());
    expect(row.key.extractable).toBe(false);
    db.close();
  });
});

describe('several accounts on one device', () => {
  it('keep apart, and each comes back with its own history', async () => {
    const relay = new Relay();
    const ada = await TestClient.signUp(relay, 'ada');
    const ben = await TestClient.signUp(relay, 'ben');
    await ada.write(ben, 'from Ada');
    await ada.vault.signedOut();
    expect(await ada.vault.standing()).toMatchObject({ kind: 'ready', session: null });

    ada.time += 1000;
    const eve = { invitation: 'E'.repeat(43), username: 'eve', displayName: 'Eve', deviceName: 'Test device' };
    const prepared = await ada.vault.prepareSignUp(eve);
    const account = { userId: prepared.userId, username: 'eve', displayName: 'Eve', role: 'member' } as const;
    await ada.vault.signedIn({ account, session: 'E'.repeat(43) });
    expect(await ada.vault.conversations()).toEqual([]);
    await ada.restart();
    expect(await ada.vault.standing()).toMatchObject({ kind: 'ready', account: { username: 'eve' } });

    const challenge = Buffer.alloc(32).toString('base64');
    const proof = await ada.vault.signInProof({ username: 'ada', challenge });
    expect(proof?.deviceId).toBe(ada.address.deviceId);
    expect(await ada.texts(ben)).toEqual(['from Ada']);
    expect(await ada.vault.signInProof({ username: 'nobody', challenge })).toBeNull();
  });
});
