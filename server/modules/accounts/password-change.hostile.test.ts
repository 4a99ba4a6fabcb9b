import { argon2Sync, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { changePassword, completeReset, signIn, signUp } from '../../../protocol/accounts.ts';
import { suspend } from '../../../protocol/administration.ts';
import { publishList, requestLink } from '../../../protocol/devices.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, PASSWORD, Person } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { createReset } from './password-resets.ts';
import { PasswordHasher, type Lane } from './passwords.ts';

/*
 * Somebody who has the old password, and a request under way with it while the owner changes it: the password was
 * checked before the change, and what it was checked for comes after.
 */

const REAL = { hash: PasswordHasher.prototype.hash, verify: PasswordHasher.prototype.verify };
const CHOSEN = 'the password that was chosen';

onEachDatabase((newDatabase) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
  });
  afterAll(() => server.dispose());
  afterEach(() => vi.restoreAllMocks());

  /** Holds the next answer of the hasher to this lane back, from when `reached` resolves until `release`. */
  function holdNext(work: 'hash' | 'verify', lane: Lane = 'strangers') {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let held = false;
    vi.spyOn(PasswordHasher.prototype, work).mockImplementation(async function (
      this: PasswordHasher,
      ...args: unknown[]
    ) {
      const answer = await (REAL[work] as (...all: unknown[]) => Promise<never>).apply(this, args);
      if (held || args.includes('proven') !== (lane === 'proven')) return answer;
      held = true;
      reached.resolve();
      await released.promise;
      return answer;
    });
    return { reached: reached.promise, release: released.resolve };
  }

  const change = ({ client }: Member) => client.request(changePassword, { current: PASSWORD, password: CHOSEN });
  const sessionsOf = ({ person: { userId } }: Member) =>
    server.store.db.selectFrom('sessions').select(['deviceId', 'tokenHash']).where('userId', '=', userId).execute();
  /** As a version did that made less of an effort. */
  async function keepOutdated({ person: { userId } }: Member): Promise<void> {
    const [nonce, cost] = [randomBytes(16), { memory: 64, passes: 1, parallelism: 1 }];
    const hash = argon2Sync('argon2id', { message: PASSWORD, nonce, tagLength: 32, ...cost });
    const [salt, tag] = [nonce, hash].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
    const passwordHash = `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}`;
    await server.store.db.updateTable('accounts').set({ passwordHash }).where('userId', '=', userId).execute();
  }

  it('a sign-in leaves no session', async () => {
    const ada = await server.join();
    const stranger = await server.connect();
    const hold = holdNext('verify');
    const entry = stranger.request(signIn, ada.person.signInParams(null));
    await hold.reached;
    await change(ada);
    hold.release();
    await refusal('credentials_invalid', entry);
    expect(await sessionsOf(ada)).toHaveLength(1);
  });

  it('a sign-in leaves no session while a reset link is used', async () => {
    const ada = await server.join();
    const { reset } = await server.store.transaction((trx) => createReset(trx, ada.person.userId, null, Date.now()));
    const stranger = await server.connect();
    const hold = holdNext('verify');
    const entry = stranger.request(signIn, ada.person.signInParams(null));
    await hold.reached;
    await (await server.connect()).request(completeReset, { reset, password: CHOSEN });
    hold.release();
    await refusal('credentials_invalid', entry);
    expect(await sessionsOf(ada)).toEqual([]);
  });

  it('a sign-in that comes to its end while the change does waits for it', async () => {
    const ada = await server.join();
    const { userId } = ada.person;
    const stranger = await server.connect();
    const passwordHash = await new PasswordHasher().hash(CHOSEN);
    const [entry] = await server.store.db.transaction().execute(async (trx) => {
      await trx.updateTable('accounts').set({ passwordHash }).where('userId', '=', userId).execute();
      await trx.deleteFrom('sessions').where('userId', '=', userId).execute();
      const outcome = refusal('credentials_invalid', stranger.request(signIn, ada.person.signInParams(null)));
      outcome.catch(() => undefined);
      await delay(500);
      // In an array, so that the transaction does not wait for what waits for it.
      return [outcome];
    });
    await entry;
    expect(await sessionsOf(ada)).toEqual([]);
  });

  it('the repeat of a sign-up gets no token of the session that stays', async () => {
    const person = new Person();
    const visitor = await server.connect();
    const params = person.signUpParams(await server.invitation());
    const { session } = await visitor.request(signUp, params);
    const ada = { person, session, client: await server.connect(session) };
    const [before] = await sessionsOf(ada);
    const hold = holdNext('verify');
    const repeat = visitor.request(signUp, params);
    await hold.reached;
    await change(ada);
    hold.release();
    await refusal('credentials_invalid', repeat);
    expect(await sessionsOf(ada)).toEqual([before]);
  });

  it('a hash that is made anew does not bring the old password back', async () => {
    const ada = await server.join();
    await keepOutdated(ada);
    const stranger = await server.connect();
    const hold = holdNext('hash');
    const entry = stranger.request(signIn, ada.person.signInParams(null));
    await hold.reached;
    await change(ada);
    hold.release();
    await refusal('credentials_invalid', entry);
    expect(await sessionsOf(ada)).toHaveLength(1);
    await refusal('credentials_invalid', stranger.request(signIn, ada.person.signInParams(null)));
    await stranger.request(signIn, { ...ada.person.signInParams(null), password: CHOSEN });
  });

  it('of several sign-ins at once whose hash is made anew, all are let in', async () => {
    const ada = await server.join();
    await keepOutdated(ada);
    const visitor = await server.connect();
    await Promise.all([1, 2, 3].map(() => visitor.request(signIn, ada.person.signInParams(null))));
    const { passwordHash } = await server.store.db
      .selectFrom('accounts')
      .select('passwordHash')
      .where('userId', '=', ada.person.userId)
      .executeTakeFirstOrThrow();
    expect(new PasswordHasher().isOutdated(passwordHash)).toBe(false);
  });

  it('neither suspending nor taking the device off the list leaves a session to a sign-in under way', async () => {
    const admin = await server.join(new Person(), 'admin');
    const ada = await server.join();
    const lost = newDevice();
    const line = await server.connect();
    await line.hello({ session: (await ada.person.signIn(line, null)) as never });
    await line.request(requestLink, { device: lost.public, idempotencyId: newId() });
    const publish = (version: number, devices = [ada.person.device.public]) =>
      ada.client.request(publishList, { list: ada.person.list(version, devices), idempotencyId: newId() });
    await publish(2, [ada.person.device.public, lost.public]);

    const finder = await server.connect();
    const { challenge } = await finder.hello();
    const first = holdNext('verify', 'proven');
    const entry = finder.request(signIn, ada.person.signInParams(challenge, lost));
    await first.reached;
    await publish(3);
    first.release();
    await refusal('device_unknown', entry);
    expect(await sessionsOf(ada)).toHaveLength(1);

    const second = holdNext('verify');
    const other = finder.request(signIn, ada.person.signInParams(null));
    await second.reached;
    await admin.client.request(suspend, { userId: ada.person.userId });
    second.release();
    await refusal('account_suspended', other);
    expect(await sessionsOf(ada)).toEqual([]);
  });
});
