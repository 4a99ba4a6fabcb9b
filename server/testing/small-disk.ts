import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own that is as small as wanted. */
export interface SmallDisk {
  readonly path: string;
  /** Writes a foreign file until nothing more fits. */
  fill(): void;
  /** Removes that file. */
  free(): void;
  readOnly(on: boolean): void;
  remove(): void;
}

/** Null where this process may not mount (it takes root on Linux). */
export function smallDisk(megabytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'teahouse-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    rmSync(path, { recursive: true });
    return null;
  }
  const foreign = join(path, 'foreign');
  return {
    path,
    fill() {
      writeFileSync(foreign, '');
      for (let size = 1 << 20; size >= 512;) {
        try {
          appendFileSync(foreign, Buffer.alloc(size));
        } catch {
          size /= 2;
        }
      }
    },
    free: () => rmSync(foreign, { force: true }),
    readOnly: (on) => void execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, path], { stdio: 'ignore' }),
    remove() {
      execFileSync('umount', [path], { stdio: 'ignore' });
      rmSync(path, { recursive: true });
    },
  };
}
