import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isDataFolderClaimed } from './store/data-claim.ts';
import { makeDataFolder } from './store/data-folder.ts';

/** What a running server tells the command line of the same data folder. */
const AddressFile = z.object({
  /** As people's browsers see the server. */
  origin: z.string(),
  pid: z.int(),
  version: z.string(),
});
export type AddressFile = z.infer<typeof AddressFile>;

const pathIn = (dataDir: string) => join(dataDir, 'server.json');

/** Returns what removes the file again, unless it is somebody else's by then. */
export async function writeAddress(dataDir: string, address: AddressFile): Promise<() => Promise<void>> {
  // With PostgreSQL nothing else may have made it.
  makeDataFolder(dataDir);
  const path = pathIn(dataDir);
  // Process ids are alike in two containers.
  const text = `${JSON.stringify({ ...address, writer: randomUUID() })}\n`;
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return async () => {
    if ((await readFile(path, 'utf8').catch(() => null)) === text) await rm(path, { force: true });
  };
}

/**
 * Null if no server runs on this data folder: none was started, it ended cleanly, or its process is gone.
 * Throws as `isDataFolderClaimed` does.
 */
export async function readAddress(dataDir: string): Promise<AddressFile | null> {
  const claimed = isDataFolderClaimed(dataDir);
  if (claimed === false) return null;
  const address = await readLastAddress(dataDir);
  // A server of an older version makes no claim.
  return address !== null && (claimed || isAlive(address.pid)) ? address : null;
}

/** Where a server of this data folder has said that it is, though it may be gone; null if that cannot be read. */
export async function readLastAddress(dataDir: string): Promise<AddressFile | null> {
  try {
    return AddressFile.parse(JSON.parse(await readFile(pathIn(dataDir), 'utf8')));
  } catch {
    return null;
  }
}

/** To be called by whoever has claimed the data folder: the server that wrote the address was killed. */
export async function removeLeftAddress(dataDir: string): Promise<void> {
  await rm(pathIn(dataDir), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
