import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import { promisify } from 'node:util';
import { ProtocolError } from '../../../protocol/errors.ts';
import { LIMITS } from './limits.ts';

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB (here in KiB), 2 passes, 1 lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Who waits for a hash: `proven` are people inside, and devices that have shown their key. They go first. */
export type Lane = 'proven' | 'strangers';

/** Hashes passwords off the main thread, a few at a time, so that many sign-ins cannot take all memory and threads. */
export class PasswordHasher {
  #running = 0;
  readonly #waiting: Readonly<Record<Lane, (() => void)[]>> = { proven: [], strangers: [] };
  readonly #maxWaiting: Readonly<Record<Lane, number>>;
  /** Of no password at all: as costly to compare with as a real one, and nothing that is derived equals it. */
  readonly #decoy = phc(randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

  constructor(maxWaiting?: number) {
    this.#maxWaiting = {
      proven: maxWaiting ?? LIMITS.waitingProven.value,
      strangers: maxWaiting ?? LIMITS.waitingStrangers.value,
    };
  }

  /** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  async hash(password: string, lane: Lane = 'strangers'): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, HASH_BYTES, COST, lane);
    return phc(salt, hash);
  }

  /** Takes as long when there is no such account (`stored` undefined) as when there is one. */
  async verify(password: string, stored: string | undefined, lane: Lane = 'strangers'): Promise<boolean> {
    const { cost, salt, hash } = parsePhc(stored ?? this.#decoy);
    const candidate = await this.#derive(password, salt, hash.length, cost, lane);
    return timingSafeEqual(candidate, hash) && stored !== undefined;
  }

  /** Whether a stored hash was made with less effort than today's. */
  isOutdated(stored: string): boolean {
    const { cost } = parsePhc(stored);
    return cost.memory < COST.memory || cost.passes < COST.passes;
  }

  async #derive(password: string, salt: Buffer, tagLength: number, cost: Cost, lane: Lane): Promise<Buffer> {
    await this.#enter(lane);
    try {
      // NFC: the same password typed on another system gives the same bytes (RFC 8265 section 4.2).
      return await derive('argon2id', { message: password.normalize('NFC'), nonce: salt, tagLength, ...cost });
    } finally {
      this.#leave();
    }
  }

  async #enter(lane: Lane): Promise<void> {
    if (this.#running < LIMITS.hashesAtOnce.value) {
      this.#running++;
      return;
    }
    const waiting = this.#waiting[lane];
    if (waiting.length >= this.#maxWaiting[lane])
      throw new ProtocolError('unavailable', 'Too many sign-ins at once; try again soon.');
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.proven.shift() ?? this.#waiting.strangers.shift();
    if (next) next();
    else this.#running--;
  }
}

interface Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

function parsePhc(text: string): { cost: Cost; salt: Buffer; hash: Buffer } {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text);
  if (!match) throw new Error('a stored password hash is damaged');
  const [, memory, passes, parallelism, salt = '', hash = ''] = match;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

function phc(salt: Buffer, hash: Buffer): string {
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
