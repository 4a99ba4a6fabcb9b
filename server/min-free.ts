import { ConfigError, type Config } from './config.ts';
import type { DiskSpace } from './store/storage-health.ts';

/** Throws ConfigError where more is to stay free than the disk has in all: no message could ever be taken. */
export async function requirePossibleMinFree({ dataDir, storage }: Config, diskSpace: DiskSpace): Promise<void> {
  const { minFreeBytes } = storage;
  if (minFreeBytes === undefined) return;
  // A file system that does not say how large it is: then a write that fails says so.
  const disk = await diskSpace(dataDir).catch(() => null);
  if (disk === null || minFreeBytes < disk.total) return;
  throw new ConfigError(
    `TEAHOUSE_MIN_FREE_MB: ${minFreeBytes / 1_000_000} MB cannot stay free on the disk of ${dataDir}, which has ${Math.floor(disk.total / 1_000_000)} MB in all. Ask for less, or choose a larger disk with --data.`,
  );
}
