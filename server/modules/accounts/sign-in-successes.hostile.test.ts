import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { signIn } from '../../../protocol/accounts.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { LIMITS } from './limits.ts';
import { PasswordHasher } from './passwords.ts';

/*
 * Somebody who has a password, also their own, and signs in on and on: each time costs a hash that others wait for, and a
 * row for a repeat. The limits are those of production.
 */

const MOST = LIMITS.signInsByAccount.value;
const KEPT_MS = LIMITS.keptSignInMinutes.value * 60_000;

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ahead = 0;
  beforeAll(async () => {
    server = await startTestServer({ rateLimitFactor: 1, now: () => Date.now() + ahead }, await newDatabase());
  });
  afterAll(() => server.dispose());
  afterEach(() => vi.restoreAllMocks());

  /** What sign-ins by password alone come to, ten on each connection. */
  async function signInOften({ person }: Member, times: number): Promise<string[]> {
    const codes: string[] = [];
    for (let done = 0; done < times; done += 10) {
      const visitor = await server.connect();
      const some = Array.from({ length: Math.min(10, times - done) }, () =>
        visitor.request(signIn, person.signInParams(null)),
      );
      for (const one of await Promise.allSettled(some))
        codes.push(one.status === 'fulfilled' ? 'ok' : (one.reason as { code: string }).code);
      await visitor.close();
    }
    return codes;
  }

  const keptOf = ({ person: { userId } }: Member) =>
    server.store.db.selectFrom('idempotency').select('id').where('scope', '=', `sign-in/${userId}`).execute();

  it('is refused without a hash after as many as nobody needs, and no device of the owner is', async () => {
    // The password is right each time; that it is computed is counted here, and not waited for.
    const verified = vi.spyOn(PasswordHasher.prototype, 'verify').mockResolvedValue(true);
    const [ada, ben] = [await server.join(), await server.join()];
    const codes = await signInOften(ada, MOST + 20);
    expect(codes).toEqual([...Array<string>(MOST).fill('ok'), ...Array<string>(20).fill('rate_limited')]);
    expect(verified).toHaveBeenCalledTimes(MOST);
    expect(await keptOf(ada)).toHaveLength(MOST);

    const owner = await server.connect();
    const { challenge } = await owner.hello();
    expect(await ada.person.signIn(owner, challenge)).toHaveLength(43);
    expect(await signInOften(ben, 1)).toEqual(['ok']);
    await refusal('rate_limited', owner.request(signIn, ada.person.signInParams(null)));
  });

  it('leaves no row for longer than a repeat takes', async () => {
    const ada = await server.join();
    await signInOften(ada, 3);
    const visitor = await server.connect();
    const params = ada.person.signInParams(null);
    await visitor.request(signIn, params);
    ahead += KEPT_MS - 30_000;
    // The repeat of one whose answer was lost: it has no session of its own.
    const before = await server.store.db.selectFrom('sessions').select('sessionId').execute();
    await visitor.request(signIn, params);
    expect(await server.store.db.selectFrom('sessions').select('sessionId').execute()).toHaveLength(before.length);
    expect(await keptOf(ada)).toHaveLength(4);
    ahead += 60_000;
    expect(await signInOften(ada, 1)).toEqual(['ok']);
    expect(await keptOf(ada)).toHaveLength(1);
  });
});
