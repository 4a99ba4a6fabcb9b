import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
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

export async function writeAddress(dataDir: string, address: AddressFile): Promise<void> {
  // With PostgreSQL nothing else has made it.
  makeDataFolder(dataDir);
  const path = pathIn(dataDir);
  await writeFile(`${path}.new`, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Null if no server runs on this data folder: none was started, it ended cleanly, or its process is gone. */
export async function readAddress(dataDir: string): Promise<AddressFile | null> {
  try {
    const address = AddressFile.parse(JSON.parse(await readFile(pathIn(dataDir), 'utf8')));
    process.kill(address.pid, 0);
    return address;
  } catch (error) {
    // EPERM: the process is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? readBlindly(dataDir) : null;
  }
}

async function readBlindly(dataDir: string): Promise<AddressFile> {
  return AddressFile.parse(JSON.parse(await readFile(pathIn(dataDir), 'utf8')));
}

export async function removeAddress(dataDir: string): Promise<void> {
  await rm(pathIn(dataDir), { force: true });
}
