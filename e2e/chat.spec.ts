import { expect, test } from '@playwright/test';
import { Person } from './support/person.ts';
import { TestServer } from './support/server.ts';

let server: TestServer;
let ada: Person;
let ben: Person;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  server = await TestServer.start();
  ada = await Person.arrive(browser, 'Ada Byron', server);
  ben = await Person.arrive(browser, 'Ben Okafor', server);
});

test.afterAll(async () => {
  await ada?.close();
  await ben?.close();
  await server?.stop();
});

test('two people join by invitation and write to each other', async () => {
  const [first, second] = await server.invite(2);
  await ada.signUp(first!);
  await ben.signUp(second!);
  await ada.openChatWith(ben);
  await ada.say('Is the oolong ready?');
  await ada.sees('Is the oolong ready?');
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await ben.sees('Is the oolong ready?');
  await ben.say('Two more minutes.');
  await ada.sees('Two more minutes.');
});

test('the sender sees that a message was read', async () => {
  await ada.say('I will wait by the window.');
  await ben.sees('I will wait by the window.');
  await expect(ada.log.getByLabel('Read', { exact: true }).last()).toBeVisible();
});

test('an invitation serves once', async ({ browser }) => {
  const [invitation] = await server.invite(1);
  const cai = await Person.arrive(browser, 'Cai Lin', server);
  await cai.signUp(invitation!);
  const late = await Person.arrive(browser, 'Too Late', server);
  await late.open(invitation);
  await expect(late.page.getByText(/already been used/i)).toBeVisible();
  await cai.close();
  await late.close();
});

test('what is written offline goes out in order, and nothing arrives twice', async () => {
  ada.line.cut();
  for (let n = 1; n <= 5; n++) await ada.say(`offline ${n}`);
  await expect(ada.page.getByText(/offline/i).first()).toBeVisible();
  await ben.say('Are you there?');
  ada.line.restore();
  await ben.sees('offline 5');
  await ada.sees('Are you there?');
  const expected = [1, 2, 3, 4, 5].map((n) => `offline ${n}`);
  expect(await ben.seriesOnScreen('offline')).toEqual(expected);
  expect(await ada.seriesOnScreen('offline')).toEqual(expected);
});

test('a reload loses nothing', async () => {
  await ada.page.reload();
  await ada.sees('Is the oolong ready?');
  await ada.sees('offline 5');
  await ada.say('Still here after the reload.');
  await ben.sees('Still here after the reload.');
});

test('a server killed in the middle of a conversation loses nothing and repeats nothing', async () => {
  const both = async (n: number) => {
    await ada.say(`ada ${n}`);
    await ben.say(`ben ${n}`);
  };
  for (let n = 1; n <= 4; n++) await both(n);
  await server.kill();
  for (let n = 5; n <= 8; n++) await both(n);
  await server.start();
  for (let n = 9; n <= 12; n++) await both(n);
  await ada.sees('ben 12');
  await ben.sees('ada 12');
  const series = (who: string) => Array.from({ length: 12 }, (_, index) => `${who} ${index + 1}`);
  for (const person of [ada, ben]) {
    await expect.poll(() => person.seriesOnScreen('ada')).toEqual(series('ada'));
    await expect.poll(() => person.seriesOnScreen('ben')).toEqual(series('ben'));
  }
});

test('both people see one order', async () => {
  const order = async (person: Person) =>
    (await person.log.getByText(/^(ada|ben|offline) \d+$/).allTextContents()).join(', ');
  expect(await order(ada)).toBe(await order(ben));
});

test('a second window of the same browser asks before it takes over', async () => {
  const second = await ada.context.newPage();
  await second.goto(ada.line.origin);
  await second.getByRole('button', { name: /use here/i }).click();
  await expect(second.getByRole('navigation')).toBeVisible();
  await expect(ada.page.getByRole('button', { name: /use here/i })).toBeVisible();
  await ada.page.getByRole('button', { name: /use here/i }).click();
  await expect(ada.page.getByRole('navigation')).toBeVisible();
  await second.close();
});
