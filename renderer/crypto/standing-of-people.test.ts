import { expect, it } from 'vitest';
import { UserId } from '../../protocol/ids.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

it('who is suspended or was removed is known as that, and as active again afterwards', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  const userId = UserId.parse(crypto.randomUUID());
  const eve = { userId, username: 'eve', displayName: 'Eve', role: 'member' as const };
  await ada.vault.learnPeople([eve]);
  expect(await ada.vault.learnPeople([{ ...eve, status: 'suspended' }])).toMatchObject([{ status: 'suspended' }]);
  await ada.restart();
  expect((await ada.vault.people()).find((person) => person.userId === userId)?.status).toBe('suspended');
  const [again] = await ada.vault.learnPeople([eve]);
  expect(again?.status).toBeUndefined();
});
