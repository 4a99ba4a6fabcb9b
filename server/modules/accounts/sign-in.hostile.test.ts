import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { completeReset, signIn, signInProofText, signUp } from '../../../protocol/accounts.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, Person, signature } from '../../testing/person.ts';
import { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';
import { LIMITS } from './limits.ts';
import { ownOrigins } from './own-origins.ts';
import { createReset } from './password-resets.ts';
import { PasswordHasher } from './passwords.ts';

const EVIL = 'http://127.0.0.1:1';

test('a repeat without the proof gets no token of the device’s session', async () => {
  const server = await startTestServer();
  const { person } = await server.join();
  const client = await server.connect();
  const { challenge } = await client.hello();
  const params = person.signInParams(challenge);
  await client.request(signIn, params);
  const { session } = await client.request(signIn, {
    username: params.username,
    password: params.password,
    idempotencyId: params.idempotencyId,
  });
  const other = await server.connect();
  expect((await other.hello({ session: session as never })).deviceId).toBeNull();
  await server.dispose();
});

describe('a proof that another server passes on', () => {
  let server: TestServer;
  let person: Person;
  beforeAll(async () => {
    server = await startTestServer();
    ({ person } = await server.join());
  });
  afterAll(() => server.dispose());

  test('is refused, whatever the one in the middle says of itself', async () => {
    const base = `http://127.0.0.1:${server.port}`;
    const relay = await SocketClient.connect(base, { host: '127.0.0.1:1', origin: EVIL });
    const { challenge } = await relay.hello();
    const own = person.signInParams(challenge);
    person.origin = EVIL;
    const relayed = person.signInParams(challenge);
    person.origin = base;
    await refusal('device_proof_invalid', relay.request(signIn, relayed));
    // The text of earlier versions named no server.
    const deviceId = person.device.public.deviceId;
    const text = `teahouse/sign-in/v1\n${challenge}\n${person.username}\n${deviceId}`;
    const older = { deviceId, proof: signature(person.device.authentication, text) };
    await refusal('device_proof_invalid', relay.request(signIn, { ...own, device: older }));
    await relay.request(signIn, own);
  });

  test('names the configured origin alone, where there is one', async () => {
    expect(ownOrigins({ origin: 'https://tea.example.org', otherOrigins: [], host: '127.0.0.1' }, 8420)).toEqual([
      'https://tea.example.org',
    ]);
    const configured = await startTestServer({}, { TEAHOUSE_ORIGIN: 'https://tea.example.org' });
    const ada = (await configured.join()).person;
    const client = await configured.connect();
    const { challenge } = await client.hello();
    await refusal('device_proof_invalid', client.request(signIn, ada.signInParams(challenge)));
    ada.origin = 'https://tea.example.org';
    await client.request(signIn, ada.signInParams(challenge));
    await configured.dispose();
  });

  test('names the address that is listened on, under a browser’s names for it, where none is configured', () => {
    const origins = ownOrigins({ origin: undefined, otherOrigins: ['https://inner.example'], host: '192.0.2.1' }, 8420);
    expect(origins).toContain('http://192.0.2.1:8420');
    expect(origins).toContain('http://localhost:8420');
    expect(origins).toContain('https://inner.example');
    expect(ownOrigins({ origin: undefined, otherOrigins: [], host: '::1' }, 80)).toContain('http://[::1]');
    const text = signInProofText(origins[0] ?? '', 'c', 'ada', 1);
    expect(text.split('\n')[0]).toBe('teahouse/sign-in/v2');
  });
});

describe('somebody who guesses', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ rateLimitFactor: 1 });
  });
  afterAll(() => server.dispose());

  test('does not lock out a device that proves itself, from its own address either', async () => {
    const { person } = await server.join();
    const stranger = newDevice();
    const codes: unknown[] = [];
    for (let connection = 0; connection < 4; connection++) {
      const client = await server.connect();
      const { challenge } = await client.hello();
      for (let i = 0; i < 10; i++) {
        const forged = { ...person.signInParams(challenge), password: 'a guess' };
        const device = { deviceId: person.device.public.deviceId, proof: Buffer.alloc(64).toString('base64') };
        const attempt = [forged, { ...forged, device }, person.signInParams(challenge, stranger)][i % 3];
        // The last kind knows the password and has no device; the first has the proof of the owner’s connection only.
        if (i % 3 === 0) delete (forged as { device?: unknown }).device;
        await client.request(signIn, attempt as never).catch((error: { code: unknown }) => codes.push(error.code));
      }
      await client.close();
    }
    expect(codes).toContain('rate_limited');
    const owner = await server.connect();
    const { challenge } = await owner.hello();
    expect(await person.signIn(owner, challenge)).toHaveLength(43);
    await refusal('rate_limited', owner.request(signIn, person.signInParams(null)));
  });

  test('costs no password hash once the tries are used up, however many are made at once', async () => {
    const { person } = await server.join();
    const visitor = await server.connect();
    const invitation = await server.invitation();
    const reset = (await server.store.transaction((trx) => createReset(trx, person.userId, null, Date.now()))).reset;
    await visitor.request(completeReset, { reset, password: 'the password that was chosen' });
    const joined = new Person();
    const signUpParams = joined.signUpParams(invitation);
    await visitor.request(signUp, signUpParams);

    const verified = vi.spyOn(PasswordHasher.prototype, 'verify');
    const tries = LIMITS.failuresByAccountAndAddress.value;
    const guess = (username: string) => ({ ...person.signInParams(null), username, password: 'a wrong guess' });
    const codes = async (requests: readonly Promise<unknown>[]) =>
      (await Promise.allSettled(requests)).map(
        (one) => one.status === 'rejected' && (one.reason as { code: string }).code,
      );
    // Each is a try, so that none slips through while others are being hashed.
    const all = await codes(Array.from({ length: 25 }, () => visitor.request(signIn, guess(person.username))));
    expect(all.filter((code) => code === 'rate_limited')).toHaveLength(25 - tries);
    expect(verified).toHaveBeenCalledTimes(tries);
    await refusal('rate_limited', visitor.request(completeReset, { reset, password: 'a wrong guess' }));
    expect(verified).toHaveBeenCalledTimes(tries);

    const wrong = { ...signUpParams, password: 'a wrong guess' };
    await codes(Array.from({ length: 15 }, () => visitor.request(signUp, wrong)));
    expect(verified).toHaveBeenCalledTimes(2 * tries);
    verified.mockRestore();
  });

  test('finds no other way by the repeat of a sign-up', async () => {
    const person = new Person();
    const visitor = await server.connect();
    const params = person.signUpParams(await server.invitation());
    await visitor.request(signUp, params);
    for (let i = 0; i < LIMITS.failuresByAccountAndAddress.value; i++)
      await refusal('credentials_invalid', visitor.request(signUp, { ...params, password: `a guess, number ${i}` }));
    await refusal('rate_limited', visitor.request(signUp, params));
  });
});
