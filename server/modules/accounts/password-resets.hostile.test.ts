import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePassword, checkReset, completeReset, signIn } from '../../../protocol/accounts.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { PASSWORD } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { LIMITS } from './limits.ts';
import { createReset } from './password-resets.ts';

const CHOSEN = 'the password that was chosen';
const MINUTE_MS = 60_000;

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ahead = 0;
  const now = () => Date.now() + ahead;

  beforeAll(async () => {
    server = await startTestServer({ now, rateLimitFactor: 1 }, await newDatabase());
  });
  afterAll(() => server.dispose());

  const linkFor = async ({ person }: Member) =>
    (await server.store.transaction((trx) => createReset(trx, person.userId, null, now()))).reset;

  it('a used link is no way around the count of failed sign-ins', async () => {
    const ada = await server.join();
    const reset = await linkFor(ada);
    const finder = await server.connect();
    await finder.request(completeReset, { reset, password: CHOSEN });
    for (let i = 0; i < LIMITS.failuresByAccountAndAddress.value; i++)
      await refusal('reset_invalid', finder.request(completeReset, { reset, password: `a guess, number ${i}` }));
    await refusal('rate_limited', finder.request(completeReset, { reset, password: 'one guess more' }));
    await refusal('rate_limited', finder.request(completeReset, { reset, password: CHOSEN }));
    // The one count is the other.
    await refusal('rate_limited', finder.request(signIn, { ...ada.person.signInParams(null), password: CHOSEN }));
  });

  it('a used link soon says nothing about the password, nor does it after another change', async () => {
    const ada = await server.join();
    const reset = await linkFor(ada);
    const finder = await server.connect();
    await finder.request(completeReset, { reset, password: CHOSEN });
    await refusal('reset_invalid', finder.request(checkReset, { reset }));
    ahead = LIMITS.resetRepeatMinutes.value * MINUTE_MS - 5000;
    await finder.request(completeReset, { reset, password: CHOSEN });
    ahead = LIMITS.resetRepeatMinutes.value * MINUTE_MS + 5000;
    await refusal('reset_invalid', finder.request(completeReset, { reset, password: CHOSEN }));
    await refusal('reset_invalid', finder.request(checkReset, { reset }));
    ahead = 0;

    const line = await server.connect();
    const { challenge } = await line.hello();
    const params = { ...ada.person.signInParams(challenge), password: CHOSEN };
    await line.hello({ session: (await line.request(signIn, params)).session });
    await line.request(changePassword, { current: CHOSEN, password: PASSWORD });
    for (const password of [CHOSEN, PASSWORD])
      await refusal('reset_invalid', finder.request(completeReset, { reset, password }));
  });

  it('a change of the password voids a link that nobody has used', async () => {
    const ada = await server.join();
    const reset = await linkFor(ada);
    const finder = await server.connect();
    await finder.request(checkReset, { reset });
    await ada.client.request(changePassword, { current: PASSWORD, password: CHOSEN });
    await refusal('reset_invalid', finder.request(checkReset, { reset }));
    await refusal('reset_invalid', finder.request(completeReset, { reset, password: 'a third password' }));
  });

  it('of two requests at once with one password both are told that it is set', async () => {
    const ada = await server.join();
    const reset = await linkFor(ada);
    const visitor = await server.connect();
    const both = await Promise.all([1, 2].map(() => visitor.request(completeReset, { reset, password: CHOSEN })));
    expect(both).toEqual([{ username: ada.person.username }, { username: ada.person.username }]);
  });
});
