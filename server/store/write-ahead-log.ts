import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** SQLite’s write-ahead log: https://www.sqlite.org/fileformat2.html#walformat */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says in which order of bytes the checksums take their words: 0 little, 1 big. */
const MAGIC = 0x377f0682;
/** Read at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Transactions after a wrong frame, each built upon the one before it, that no crash leaves. */
const COMMITS_AFTER_DAMAGE = 2;

/** What SQLite would drop in silence: acknowledged data that its log holds, or that only the log knows of. */
export class DamagedLogError extends Error {
  override readonly name = 'DamagedLogError';
}

/**
 * Reads the log of a database that nobody has open, and throws DamagedLogError where SQLite would drop more of it than a
 * crash explains; errors of the file system as they come. SQLite itself takes the first wrong frame for the end.
 *
 * What a crash leaves. With `synchronous = full` the header is synced before the first frame, and a transaction’s frames
 * before the next one begins. A process that is killed leaves frames that were written in order. After a loss of power any
 * of the last transaction’s frames may be missing, wrong or out of order, since they were not synced, and behind them may
 * stand what such a transaction left before: old salts, or the same salts with checksums that build upon frames that are
 * overwritten. Each of these holds one commit at most. So two commits in a row behind a wrong frame, each frame’s checksum
 * right upon the one before it, say that the wrong frame was once right and synced: it is damaged. A fault in the very last
 * transaction cannot be told from a torn one, and ends as that does.
 */
export function requireSoundLog(databasePath: string): void {
  const log = openIfThere(`${databasePath}-wal`);
  if (log === null) return;
  try {
    const { size } = fstatSync(log);
    if (size <= HEADER_BYTES) return;
    if (!(statSync(databasePath, { throwIfNoEntry: false })?.size ?? 0))
      throw new DamagedLogError('There is a log of changes, and no database that it belongs to.');
    const reader = new LogReader(readHeader(log));
    for (let from = HEADER_BYTES; from + reader.frameBytes <= size;) {
      const frames = Math.min(
        Math.ceil(CHUNK_BYTES / reader.frameBytes),
        Math.floor((size - from) / reader.frameBytes),
      );
      const chunk = readAt(log, from, frames * reader.frameBytes);
      for (let at = 0; at + reader.frameBytes <= chunk.length; at += reader.frameBytes) reader.take(chunk, at);
      from += frames * reader.frameBytes;
    }
  } finally {
    closeSync(log);
  }
}

interface LogHeader {
  readonly littleEndian: boolean;
  readonly pageBytes: number;
  readonly salts: readonly [number, number];
  readonly sum: Sum;
}

/** The two words of a checksum. */
type Sum = readonly [number, number];

function readHeader(log: number): LogHeader {
  const bytes = readAt(log, 0, HEADER_BYTES);
  const magic = bytes.readUInt32BE(0);
  const littleEndian = magic === MAGIC;
  const pageBytes = bytes.readUInt32BE(8);
  const sum = addTo([0, 0], bytes, 0, 24, littleEndian);
  const known = littleEndian || magic === MAGIC + 1;
  const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  if (!known || !isPageSize || !isSum(sum, bytes, 24))
    throw new DamagedLogError('The header of the log of changes is wrong.');
  return { littleEndian, pageBytes, salts: [bytes.readUInt32BE(16), bytes.readUInt32BE(20)], sum };
}

/** Takes frames in order; throws once those behind a wrong one could only be written while that was right. */
class LogReader {
  readonly frameBytes: number;
  readonly #header: LogHeader;
  #last: Sum;
  #broken = false;
  /** In the run of frames that build upon each other. */
  #commits = 0;

  constructor(header: LogHeader) {
    this.#header = header;
    this.#last = header.sum;
    this.frameBytes = FRAME_HEADER_BYTES + header.pageBytes;
  }

  take(bytes: Buffer, at: number): void {
    const { littleEndian, pageBytes, salts } = this.#header;
    const ofThisLog = bytes.readUInt32BE(at + 8) === salts[0] && bytes.readUInt32BE(at + 12) === salts[1];
    let sum = addTo(this.#last, bytes, at, 8, littleEndian);
    sum = addTo(sum, bytes, at + FRAME_HEADER_BYTES, pageBytes, littleEndian);
    const right = ofThisLog && isSum(sum, bytes, at + 16);
    this.#last = [bytes.readUInt32BE(at + 16), bytes.readUInt32BE(at + 20)];
    if (!right) {
      this.#broken = true;
      this.#commits = 0;
      return;
    }
    if (!this.#broken || bytes.readUInt32BE(at + 4) === 0) return;
    if (++this.#commits >= COMMITS_AFTER_DAMAGE)
      throw new DamagedLogError('A part of the log of changes is wrong, and right transactions follow it.');
  }
}

function isSum(sum: Sum, bytes: Buffer, at: number): boolean {
  return sum[0] === bytes.readUInt32BE(at) && sum[1] === bytes.readUInt32BE(at + 4);
}

/** Goes on with a checksum over `length` bytes, a multiple of 8. */
function addTo([first, second]: Sum, bytes: Buffer, from: number, length: number, littleEndian: boolean): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, length);
  let [a, b] = [first | 0, second | 0];
  for (let at = 0; at < length; at += 8) {
    a = (a + view.getInt32(at, littleEndian) + b) | 0;
    b = (b + view.getInt32(at + 4, littleEndian) + a) | 0;
  }
  return [a >>> 0, b >>> 0];
}

function readAt(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  for (let read = -1; read !== 0 && filled < length; filled += read)
    read = readSync(file, bytes, filled, length - filled, from + filled);
  return bytes.subarray(0, filled);
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
