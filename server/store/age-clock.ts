import { sql } from 'kysely';
import type { Log } from '../log.ts';
import { LIMITS } from './limits.ts';
import type { Database } from './schema.ts';

export interface AgeClockDeps {
  readonly db: Database;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds; monotonic. */
  readonly steady?: () => number;
  readonly log: Log;
}

/** What is kept in the database, in milliseconds. */
interface Kept {
  /** The newest time by which ages were judged. */
  readonly judged: number;
  /** What the machine’s clock said then. */
  readonly wall: number;
  /** How long a server has run since the clock went far ahead, without another jump. */
  readonly ran: number;
}

const ROWS = { judged: 'clock_judged', wall: 'clock_wall', ran: 'clock_ran' } as const;

/**
 * The time by which things are too old. It is the machine’s clock, unless that is far ahead of the time that the database
 * knows: a machine that starts with a wrong clock would delete all that waits and end all sessions. Then time goes on from
 * what was known, as long as servers run, until they have run for most of a day without another jump.
 */
export class AgeClock {
  readonly #deps: AgeClockDeps;
  readonly #steady: () => number;
  #kept: Kept;
  #readAt: number;
  #told = false;

  /** Reads what the database knows. */
  static async open(deps: AgeClockDeps): Promise<AgeClock> {
    return new AgeClock(deps, (await keptIn(deps.db)) ?? { judged: deps.now(), wall: deps.now(), ran: 0 });
  }

  private constructor(deps: AgeClockDeps, kept: Kept) {
    this.#deps = deps;
    this.#steady = deps.steady ?? (() => performance.now());
    this.#kept = kept;
    this.#readAt = this.#steady();
  }

  /** Milliseconds since the Unix epoch. */
  readonly now = (): number => {
    const [wall, readAt] = [this.#deps.now(), this.#steady()];
    const passed = readAt - this.#readAt;
    const jump = Math.abs(wall - this.#kept.wall - passed);
    const expected = this.#kept.judged + passed;
    const ran = jump > LIMITS.clockAheadMs.value ? 0 : this.#kept.ran + passed;
    this.#readAt = readAt;
    const trusted = wall - expected <= LIMITS.clockAheadMs.value || ran >= LIMITS.clockSteadyMs.value;
    this.#kept = trusted ? { judged: wall, wall, ran: 0 } : { judged: expected, wall, ran };
    this.#tell(trusted);
    return this.#kept.judged;
  };

  /** Keeps it for the next start. */
  async keep(): Promise<void> {
    this.now();
    for (const [field, name] of Object.entries(ROWS)) {
      const value = Math.round(this.#kept[field as keyof Kept]);
      await sql`insert into counters (name, value) values (${name}, ${value})
        on conflict (name) do update set value = excluded.value`.execute(this.#deps.db);
    }
  }

  #tell(trusted: boolean): void {
    if (trusted !== this.#told) return;
    this.#told = !trusted;
    const { log } = this.#deps;
    const known = new Date(this.#kept.judged).toISOString();
    if (trusted) log.info('the clock is believed: what is too old by it is deleted');
    else
      log.warn(
        { known },
        'the clock of this machine is far ahead of the newest time in the database: nothing is deleted for its age until the clock is right, or the server has run for a day',
      );
  }
}

async function keptIn(db: Database): Promise<Kept | null> {
  const rows = await db.selectFrom('counters').selectAll().execute();
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  const judged = values.get(ROWS.judged);
  if (judged !== undefined) return { judged, wall: values.get(ROWS.wall) ?? judged, ran: values.get(ROWS.ran) ?? 0 };
  // A database of an older version: what happened last in it.
  const { seen } = await db
    .selectFrom('sessions')
    .select(({ fn }) => fn.max('lastSeenAt').as('seen'))
    .executeTakeFirstOrThrow();
  const newest = Math.max((values.get('position') ?? 0) / 1000, Number(seen ?? 0));
  return newest === 0 ? null : { judged: newest, wall: newest, ran: 0 };
}
