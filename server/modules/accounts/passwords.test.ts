import { expect, it } from 'vitest';
import { refusal } from '../../testing/expect-code.ts';
import { PasswordHasher } from './passwords.ts';

it('verifies the right password and no other', async () => {
  const passwords = new PasswordHasher();
  const stored = await passwords.hash('correct horse battery');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await passwords.verify('correct horse battery', stored)).toBe(true);
  expect(await passwords.verify('correct horse batterz', stored)).toBe(false);
  expect(await passwords.verify('', stored)).toBe(false);
});

it('salts, and takes a password typed with combining accents as the same', async () => {
  const passwords = new PasswordHasher();
  const [one, two] = [await passwords.hash('pässwörter!'), await passwords.hash('pässwörter!')];
  expect(one).not.toBe(two);
  expect(await passwords.verify('pässwörter!'.normalize('NFD'), one)).toBe(true);
});

it('works as long for an account that there is not, and lets nobody in', async () => {
  const passwords = new PasswordHasher();
  const stored = await passwords.hash('correct horse battery');
  const time = async (hash: string | undefined) => {
    const started = performance.now();
    expect(await passwords.verify('a wrong password', hash)).toBe(false);
    return performance.now() - started;
  };
  await time(undefined);
  const samples = await Promise.all(
    Array.from({ length: 7 }, async () => [await time(stored), await time(undefined)] as const),
  );
  const fastest = (index: 0 | 1) => Math.min(...samples.map((sample) => sample[index]));
  expect(fastest(1)).toBeGreaterThan(fastest(0) / 4);
});

it('verifies hashes of another cost, and says that they are outdated', async () => {
  const passwords = new PasswordHasher();
  const weak = (await passwords.hash('x')).replace('m=19456,t=2', 'm=64,t=1');
  expect(passwords.isOutdated(weak)).toBe(true);
  expect(passwords.isOutdated(await passwords.hash('x'))).toBe(false);
  await expect(passwords.verify('x', 'md5:abc')).rejects.toThrow('damaged');
});

it('refuses when far too many wait', async () => {
  const passwords = new PasswordHasher(2);
  const many = Array.from({ length: 6 }, () => passwords.hash('x'));
  const results = await Promise.allSettled(many);
  const refused = results.filter(({ status }) => status === 'rejected');
  // Two at work and two waiting.
  expect(refused).toHaveLength(2);
  await refusal('unavailable', many[results.findIndex(({ status }) => status === 'rejected')] ?? Promise.resolve());
  expect(await passwords.hash('x')).toContain('argon2id');
});

it('serves who has proved himself before strangers who came first', async () => {
  const passwords = new PasswordHasher();
  const stored = await passwords.hash('x');
  const order: string[] = [];
  const strangers = Array.from({ length: 20 }, () => passwords.hash('x').then(() => order.push('stranger')));
  const owner = passwords.verify('x', stored, 'proven').then(() => order.push('owner'));
  await Promise.all([...strangers, owner]);
  expect(order.indexOf('owner')).toBeLessThan(6);
});
