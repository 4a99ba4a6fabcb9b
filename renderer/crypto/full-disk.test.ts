import { forceCloseDatabase, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createVault } from './create-vault.ts';
import { newMessageId } from './queued-message.ts';
import { StorageFailedError } from './storage-failed.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';
import type { Vault } from './vault.ts';

const WAIT_MS = 40;

let [ada, ben]: TestClient[] = [];
let tries: number;
let room: number;

beforeEach(async () => {
  tries = 0;
  room = Infinity;
  const relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'before');
  await ben.fetch();
  await ben.vault.close();
  ben.vault = vaultOn(ben.disk);
  await ben.vault.open(null, HOME);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await ben!.vault.close();
});

function vaultOn(indexedDB: IDBFactory): Vault {
  const storageWaitMs = () => ((tries += 1), WAIT_MS);
  return createVault({
    indexedDB,
    IDBKeyRange,
    now: () => ben!.time,
    storageWaitMs,
    hasRoom: async (bytes) => bytes <= room,
  });
}

/** From now on nothing can be written. Returns how often it was tried. */
function fill(): { readonly writes: number; free(): void } {
  const count = { writes: 0 };
  const refuse = () => {
    count.writes += 1;
    throw new DOMException('no room', 'QuotaExceededError');
  };
  const mocks = (['put', 'add'] as const).map((name) =>
    vi.spyOn(IDBObjectStore.prototype, name).mockImplementation(refuse),
  );
  return {
    get writes() {
      return count.writes;
    },
    free: () => mocks.forEach((mock) => mock.mockRestore()),
  };
}

const write = () => {
  const sentAt = Date.now();
  return ben!.vault.enqueueText({ conversation: ada!.userId, messageId: newMessageId(sentAt), text: 'mine', sentAt });
};

test('a full disk is one clear error, touches the disk no more than from time to time, and is over by itself', async () => {
  const disk = fill();
  await expect(write()).rejects.toThrow(StorageFailedError);
  expect(await ben!.vault.storageChange(false)).toBe(true);
  expect(await ben!.texts(ada!)).toEqual(['before']);
  const { writes } = disk;
  for (let i = 0; i < 100; i += 1) await expect(ben!.vault.outbox()).rejects.toThrow(StorageFailedError);
  expect(disk.writes).toBe(writes);
  await vi.waitFor(() => expect(tries).toBeGreaterThan(2));
  disk.free();
  expect(await ben!.vault.storageChange(true)).toBe(false);
  await write();
  await ben!.flush();
  await ada!.fetch();
  expect(await ada!.texts(ben!)).toEqual(['before', 'mine']);
});

test('what arrives while the disk is full is acknowledged only once it is kept', async () => {
  await ada!.write(ben!, 'while it is full');
  const disk = fill();
  await expect(ben!.fetch()).rejects.toThrow(StorageFailedError);
  disk.free();
  expect(await ben!.vault.storageChange(true)).toBe(false);
  await ben!.fetch();
  await ben!.restart();
  expect(await ben!.texts(ada!)).toEqual(['before', 'while it is full']);
});

test('databases that the browser has closed are opened anew', async () => {
  const opened: IDBDatabase[] = [];
  const open = ben!.disk.open.bind(ben!.disk);
  vi.spyOn(ben!.disk, 'open').mockImplementation((...args) => {
    const request = open(...args);
    request.addEventListener('success', () => opened.push(request.result as unknown as IDBDatabase));
    return request;
  });
  await ben!.vault.close();
  await ben!.vault.open(null, HOME);
  const before = opened.length;
  const disk = fill();
  // As Chromium does it when its backing store fails.
  for (const database of opened) forceCloseDatabase(database as never);
  await new Promise((done) => setTimeout(done, 5));
  const full = vi.spyOn(ben!.disk, 'open').mockImplementation(() => {
    throw new DOMException('Encountered full disk while opening backing store', 'UnknownError');
  });
  await expect(write()).rejects.toThrow(StorageFailedError);
  await vi.waitFor(() => expect(tries).toBeGreaterThan(2));
  disk.free();
  full.mockRestore();
  expect(await ben!.vault.storageChange(true)).toBe(false);
  await write();
  expect(await ben!.texts(ada!)).toEqual(['before', 'mine']);
  expect(before).toBeGreaterThan(0);
});

test('no database is touched before there is room for its log to begin anew', async () => {
  const disk = fill();
  await expect(write()).rejects.toThrow(StorageFailedError);
  room = 1_000_000;
  disk.free();
  const writes = vi.spyOn(IDBObjectStore.prototype, 'put');
  const before = tries;
  await vi.waitFor(() => expect(tries).toBeGreaterThan(before + 3));
  expect(writes).not.toHaveBeenCalled();
  room = 100_000_000;
  expect(await ben!.vault.storageChange(true)).toBe(false);
  const bytes = writes.mock.calls.reduce((sum, [row]) => sum + ((row as { bytes?: Uint8Array }).bytes?.length ?? 0), 0);
  // Chromium's largest write buffer.
  expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
});

test('a disk that is nearly full at the start is said before a database is written', async () => {
  const writes = vi.spyOn(IDBObjectStore.prototype, 'put');
  room = 500_000;
  await expect(ben!.vault.checkStorage()).rejects.toThrow(StorageFailedError);
  expect(writes).not.toHaveBeenCalled();
  expect(await ben!.vault.storageChange(false)).toBe(true);
});

test('a full disk is found at once where somebody asks', async () => {
  await ben!.vault.checkStorage();
  fill();
  await expect(ben!.vault.checkStorage()).rejects.toThrow(StorageFailedError);
  expect(await ben!.vault.storageChange(false)).toBe(true);
});

test('an error of what was asked for is no failure of the storage', async () => {
  await expect(ben!.vault.enqueueText(null as never)).rejects.not.toThrow(StorageFailedError);
  expect(await ben!.vault.conversations()).toHaveLength(1);
});
