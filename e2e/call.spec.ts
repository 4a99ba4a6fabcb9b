import { expect, test } from '@playwright/test';
import {
  audioReceived,
  decodedFrames,
  expectMovingPicture,
  expectSound,
  watchPeerConnections,
} from './support/media.ts';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

let server: TestServer;
let ada: Person;
let ben: Person;
let cai: Person;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  const invitations = await server.invite(3);
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
  cai = await Person.arrive(browser, 'Cai Lin', server);
  for (const [index, person] of [ada, ben, cai].entries()) {
    await watchPeerConnections(person.page);
    await person.signUp(invitations[index]!);
  }
});

test.afterAll(async () => {
  for (const person of [ada, ben, cai]) await person?.close();
  await server?.stop();
});

test('a declined call and a missed call leave their entries', async () => {
  await ada.openChatWith(ben);
  await ada.page.getByRole('button', { name: 'Start voice call' }).click();
  await ben.page.getByRole('button', { name: 'Decline' }).click();
  await expect(ada.log.getByText(/declined/i)).toBeVisible();
  await ada.page.getByRole('button', { name: 'Start video call' }).click();
  await expect(ben.page.getByRole('button', { name: 'Accept' })).toBeVisible();
  await ada.page.getByRole('button', { name: 'Leave call' }).click();
  await expect(ben.page.getByRole('button', { name: 'Accept' })).toBeHidden();
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await expect(ben.log.getByText(/missed/i)).toBeVisible();
});

test('two people meet on video', async () => {
  await ada.page.getByRole('button', { name: 'Start video call' }).click();
  await ben.page.getByRole('button', { name: 'Accept' }).click();
  await expectMovingPicture(ada.tile(ben));
  await expectMovingPicture(ben.tile(ada));
  await expectSound(ada.page, 1);
  await expectSound(ben.page, 1);
});

test('a third is added, and everybody sees and hears everybody', async () => {
  await ada.page.getByRole('button', { name: 'Add people' }).click();
  await ada.page.getByLabel('Find people').fill(cai.name);
  await ada.page.getByRole('option', { name: cai.name }).click();
  const confirm = ada.page.getByRole('button', { name: /^(Add|Invite|Ring)/ }).last();
  if (await confirm.isVisible()) await confirm.click();
  await cai.page.getByRole('button', { name: 'Accept' }).click();
  for (const [viewer, others] of [
    [ada, [ben, cai]],
    [ben, [ada, cai]],
    [cai, [ada, ben]],
  ] as const) {
    for (const other of others) await expectMovingPicture(viewer.tile(other));
    await expectSound(viewer.page, 2);
  }
});

test('mute and camera off are seen by the others', async () => {
  await ben.page.getByRole('button', { name: 'Mute microphone' }).click();
  for (const viewer of [ada, cai]) await expect(viewer.tile(ben).getByLabel(/muted/i)).toBeVisible();
  await ben.page.getByRole('button', { name: 'Turn camera off' }).click();
  for (const viewer of [ada, cai]) await expect(viewer.tile(ben).locator('video')).toBeHidden();
  const still = await decodedFrames(ada.tile(ben));
  await expectMovingPicture(ada.tile(cai));
  expect(await decodedFrames(ada.tile(ben))).toBeLessThanOrEqual(still + 3);
  await ben.page.getByRole('button', { name: 'Turn camera on' }).click();
  await ben.page.getByRole('button', { name: 'Unmute microphone' }).click();
  for (const viewer of [ada, cai]) {
    await expectMovingPicture(viewer.tile(ben));
    await expect(viewer.tile(ben).getByLabel(/muted/i)).toBeHidden();
  }
});

test('a shared screen arrives at the others', async () => {
  await cai.page.getByRole('button', { name: 'Share screen' }).click();
  for (const viewer of [ada, ben]) {
    await expectMovingPicture(viewer.page.getByRole('group', { name: new RegExp(`^${cai.name}.*screen`, 'i') }));
  }
  await cai.page.getByRole('button', { name: 'Stop sharing' }).click();
  await expect(ada.page.getByRole('group', { name: new RegExp(`^${cai.name}.*screen`, 'i') })).toBeHidden();
});

test('a lost connection comes back into its call by itself', async () => {
  for (const person of [ada, ben, cai]) person.line.drop();
  await expectMovingPicture(ada.tile(ben));
  await expectMovingPicture(ben.tile(cai));
  await expectMovingPicture(cai.tile(ada));
});

test('one leaves, and comes back', async () => {
  await cai.page.getByRole('button', { name: 'Leave call' }).click();
  await expect(ada.tile(cai).locator('video')).toBeHidden();
  await expectMovingPicture(ada.tile(ben));
  await cai.page
    .getByRole('button', { name: /rejoin/i })
    .first()
    .click();
  await expectMovingPicture(ada.tile(cai));
  await expectMovingPicture(cai.tile(ben));
});

test('when all have left, nothing is sent any more', async () => {
  for (const person of [ada, ben, cai]) await person.page.getByRole('button', { name: 'Leave call' }).click();
  for (const person of [ada, ben, cai]) {
    await expect(person.page.getByRole('button', { name: 'Leave call' })).toBeHidden();
    await expect.poll(() => audioReceived(person.page)).toEqual([]);
  }
});
