import { expose } from 'comlink';
import { createVault } from './create-vault.ts';

expose(createVault({ indexedDB, IDBKeyRange, now: () => Date.now() }));
