import { Dexie } from 'dexie';
import type { DexieOptions, Table } from 'dexie';
import { REGISTRY_NAME } from './registry-name.ts';

/** What makes a Dexie database here: the browser's IndexedDB, or a test's. */
export type StorageOptions = Pick<DexieOptions, 'indexedDB' | 'IDBKeyRange'>;

/**
 * How the key at rest is kept: sealed by the shell's secret store, or as a CryptoKey that the page's code can use but
 * not read. `next-rest-key` is there while everything is being sealed anew under it.
 */
export type RestKeyRow =
  | {
      readonly id: 'rest-key' | 'next-rest-key';
      readonly kind: 'sealed';
      readonly sealed: Uint8Array<ArrayBuffer>;
    }
  | { readonly id: 'rest-key'; readonly kind: 'crypto-key'; readonly key: CryptoKey }
  /** Written and deleted to see whether anything can be; says nothing. */
  | { readonly id: `probe${number}`; readonly kind: 'probe'; readonly bytes: Uint8Array<ArrayBuffer> };

/** One account's place on this device. Its database is named after `id`. */
export interface ProfileRow {
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** The first database that is opened: the key at rest, and which accounts have a place here. */
export class RegistryDatabase extends Dexie {
  declare readonly keys: Table<RestKeyRow, string>;
  declare readonly profiles: Table<ProfileRow, string>;

  constructor(options: StorageOptions) {
    super(REGISTRY_NAME, { ...options, chromeTransactionDurability: 'strict' });
    this.version(1).stores({ keys: 'id', profiles: 'id' });
  }
}
