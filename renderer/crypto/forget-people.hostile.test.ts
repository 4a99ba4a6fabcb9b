import { beforeEach, describe, expect, it } from 'vitest';
import { generateAccountKey } from '../../crypto/identity/account-key.ts';
import { signProfile } from '../../crypto/identity/signed-profile.ts';
import type { Person } from '../../protocol/contacts.ts';
import { UserId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  [ada, ben] = [await TestClient.signUp(relay, 'ada'), await TestClient.signUp(relay, 'ben')];
});

const eve = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001');
const dan = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002');
const named = (userId: UserId, displayName: string): Person => ({
  userId,
  username: 'someone',
  displayName,
  role: 'member',
});
/** Eve as a new account key says. */
async function signed(displayName: string): Promise<Person> {
  const said = { userId: eve, username: 'someone', displayName, version: 1, issuedAt: 1 };
  return { ...named(eve, displayName), profile: await signProfile(await generateAccountKey(), said) };
}

const names = async () => (await ada.vault.people()).map(({ displayName }) => displayName).sort();

describe('people are forgotten', () => {
  it('but not whom one writes to, has a draft for, or is', async () => {
    await ada.write(ben, 'hello');
    await ada.vault.setDraft({ conversation: dan, text: 'not sent' });
    await ada.vault.learnPeople([named(ben.userId, 'Ben'), named(ada.userId, 'ada'), named(dan, 'Dan')]);
    await ada.vault.learnPeople([named(eve, 'Eve')]);
    expect(await ada.vault.forgetPeople([ben.userId, ada.userId, dan, eve])).toEqual([eve]);
    expect(await names()).toEqual(['Ben', 'Dan', 'ada']);
    await ada.restart();
    expect(await names()).toEqual(['Ben', 'Dan', 'ada']);
  });

  it('but not what is pinned of them: whom a server withholds and names anew is shown as renamed', async () => {
    await ada.vault.learnPeople([named(eve, 'Eve')]);
    await ada.vault.forgetPeople([eve]);
    const [renamed] = await ada.vault.learnPeople([named(eve, 'The Boss')]);
    expect(renamed).toMatchObject({ displayName: 'The Boss', formerName: 'Eve' });
  });

  it('and a key that was pinned still refuses another', async () => {
    await ada.vault.learnPeople([await signed('Eve')]);
    await ada.vault.forgetPeople([eve]);
    const [shown] = await ada.vault.learnPeople([await signed('The Boss')]);
    expect(shown).toMatchObject({ displayName: 'Eve', trust: 'doubtful' });
  });
});

describe('a server that invents people without end', () => {
  it('fills the pins to a bound, beyond which they are shown and not pinned', { timeout: 120_000 }, async () => {
    const most = LIMITS.namesOfStrangers.value;
    const invented = (many: number) =>
      Array.from({ length: many }, (_, i) => named(UserId.parse(crypto.randomUUID()), `invented ${i}`));
    const first = invented(most);
    await ada.vault.learnPeople(first);
    const late = async (displayName: string) => (await ada.vault.learnPeople([await signed(displayName)]))[0];
    expect(await late('Eve')).toMatchObject({ displayName: 'Eve', trust: 'signed' });
    await ada.vault.forgetPeople([eve]);
    expect(await late('Another'), 'nothing was pinned').toMatchObject({ displayName: 'Another', trust: 'signed' });
    // Pinned before: still held.
    const [one] = first;
    expect((await ada.vault.learnPeople([{ ...one!, displayName: 'Other' }]))[0]).toMatchObject({
      formerName: 'invented 0',
    });
    // Whom one writes to is pinned all the same, by the device list.
    await ada.write(ben, 'hello');
    const [known] = await ada.vault.learnPeople([named(ben.userId, 'Ben')]);
    expect(known).toMatchObject({ displayName: 'Ben' });
    expect((await ada.vault.learnPeople([named(ben.userId, 'Boss')]))[0]).toMatchObject({ formerName: 'Ben' });
  });
});
