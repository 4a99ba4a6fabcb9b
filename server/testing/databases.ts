import { afterAll, beforeAll, describe, it } from 'vitest';
import { findPostgres, startPostgres, type Postgres } from './postgres.ts';

/** Gives an empty database as the server's environment names it. */
export type NewDatabase = () => Promise<Record<string, string>>;

/**
 * Runs the same tests on both databases. Where PostgreSQL is not installed its half is skipped and says so, except in
 * CI, which fails.
 */
export function onEachDatabase(tests: (newDatabase: NewDatabase) => void): void {
  describe('on SQLite', () => tests(async () => ({})));

  const programs = findPostgres();
  if (programs === null) {
    const reason = 'PostgreSQL is not installed (Debian: apt-get install postgresql)';
    if (process.env.CI === 'true') it('runs on PostgreSQL', () => Promise.reject(new Error(reason)));
    else describe.skip(`on PostgreSQL: ${reason}`, () => tests(async () => ({})));
    return;
  }
  describe('on PostgreSQL', () => {
    let postgres: Postgres | undefined;
    beforeAll(async () => {
      postgres = await startPostgres(programs);
    });
    afterAll(() => postgres?.stop());
    tests(async () => ({ DATABASE_URL: (await postgres?.createDatabase()) ?? '' }));
  });
}
