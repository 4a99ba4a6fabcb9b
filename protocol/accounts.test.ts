import { expect, test } from 'vitest';
import { DisplayName, signInProofText, Username } from './accounts.ts';

test('a display name may be of any script but cannot disguise itself', () => {
  for (const name of ['Ada', '王小明', 'مريم', 'Zoë O’Neil', 'd’Artagnan-Ōta'])
    expect(DisplayName.safeParse(name).success).toBe(true);
  for (const name of ['', ' Ada', 'Ada ', 'A\u202eda', 'A\u2066da', 'A\nda', 'A\u0000da', 'a'.repeat(65)]) {
    expect(DisplayName.safeParse(name).success, JSON.stringify(name)).toBe(false);
  }
});

test('a username is lower case and begins and ends with a letter or digit', () => {
  for (const name of ['ada', 'ada.byron', 'a1', 'a_b-c']) expect(Username.safeParse(name).success).toBe(true);
  for (const name of ['a', 'Ada', '.ada', 'ada.', 'a da', 'ädä', 'a'.repeat(33)])
    expect(Username.safeParse(name).success).toBe(false);
});

test('a sign-in proof of one challenge, name or device is no proof of another', () => {
  const proofs = [
    signInProofText('https://a', 'c', 'ada', 1),
    signInProofText('https://b', 'c', 'ada', 1),
    signInProofText('https://a', 'd', 'ada', 1),
    signInProofText('https://a', 'c', 'ben', 1),
    signInProofText('https://a', 'c', 'ada', 11),
  ];
  expect(new Set(proofs).size).toBe(proofs.length);
});
