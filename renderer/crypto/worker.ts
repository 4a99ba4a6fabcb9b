import { expose } from 'comlink';
import { createVault } from './create-vault.ts';
import { hasRoom } from './disk-room.ts';

expose(createVault({ indexedDB, IDBKeyRange, now: () => Date.now(), hasRoom }));
