import { isStorageError } from './storage-guard.ts';

const NAME = 'room';
const CHUNK = 1 << 20;

/**
 * Whether the disk takes so many bytes, found by writing them to a file of its own beside the databases: a write that
 * fails there harms nothing, and one that fails in a database tears its log. True where that cannot be told.
 */
export async function hasRoom(bytes: number): Promise<boolean> {
  try {
    const root = await navigator.storage.getDirectory();
    try {
      const file = await root.getFileHandle(NAME, { create: true });
      await fillFile(file, bytes);
    } finally {
      // Where it could not be made, that is the answer.
      await root.removeEntry(NAME).catch(() => undefined);
    }
    return true;
  } catch (error) {
    return !isStorageError(error);
  }
}

async function fillFile(file: FileSystemFileHandle, bytes: number): Promise<void> {
  const stream = await file.createWritable();
  try {
    for (let left = bytes; left > 0; left -= CHUNK) await stream.write(new Uint8Array(Math.min(left, CHUNK)));
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
}
