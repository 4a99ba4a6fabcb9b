const NAME = 'StorageFailedError';

/** This device could not store or read something, most often since its disk is full. Nothing of the operation was kept. */
export class StorageFailedError extends Error {
  override readonly name = NAME;

  constructor(options?: ErrorOptions) {
    super('the storage of this device fails', options);
  }
}

/** Also of one that comes from the worker, where only the name is left of its class. */
export function isStorageFailed(error: unknown): boolean {
  return error instanceof Error && error.name === NAME;
}
