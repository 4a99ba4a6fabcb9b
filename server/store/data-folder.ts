import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { storageFailure } from './storage-failure.ts';

/** The data folder is not there and cannot be made; the message says why, in sentences for the person who named it. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

export const TOO_LONG = 'The path of the data folder is too long. Choose a shorter one with --data.';

/**
 * Makes a folder for its owner alone, with those above it, unless it is there. Node's `recursive` is not used: where a
 * file system answers that there is no such folder although the one above is there (/proc does), it tries for ever.
 * Throws DataFolderError; errors of storage (no space, no permission) as they come.
 */
export function makeDataFolder(path: string): void {
  try {
    const missing: string[] = [];
    for (let at = path; !isFolder(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
    for (const folder of missing.toReversed()) make(folder);
  } catch (error) {
    throw storageFailure(error) === null ? new DataFolderError(reasonOf(error, path), { cause: error }) : error;
  }
}

function make(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function reasonOf(error: unknown, path: string): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `The data folder ${path} is a file, or lies inside of one. Choose another with --data.`;
    case 'ENAMETOOLONG':
      return TOO_LONG;
    default:
      return `The data folder ${path} cannot be made there (${code ?? 'no code'}). Choose another with --data.`;
  }
}
