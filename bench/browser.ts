import { type Browser, chromium } from '@playwright/test';
import { chromiumArguments } from '../playwright.config.ts';
import { Person } from '../e2e/support/person.ts';
import { TestServer } from '../e2e/support/server.ts';
import { findChromium } from '../scripts/lib/chromium.mjs';

/** A real Chromium with fake camera and microphone, as the end-to-end tests use it. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  return await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: chromiumArguments });
}

export interface Pair {
  readonly server: TestServer;
  readonly browser: Browser;
  readonly ada: Person;
  readonly ben: Person;
  close(): Promise<void>;
}

/** Two people with their conversation open on both sides. */
export async function openPair(prepare?: (person: Person) => Promise<void>): Promise<Pair> {
  const server = await TestServer.start();
  const browser = await openBrowser();
  const [first, second] = await server.invite(2);
  const ada = await Person.arrive(browser, 'Ada Byron', server);
  const ben = await Person.arrive(browser, 'Ben Okafor', server);
  await prepare?.(ada);
  await prepare?.(ben);
  await ada.signUp(first!);
  await ben.signUp(second!);
  await ada.openChatWith(ben);
  await ada.say('Good morning');
  await ben.page.getByRole('link', { name: /Ada Byron/ }).click();
  await ben.sees('Good morning');
  const close = async () => {
    await browser.close();
    await server.stop();
  };
  return { server, browser, ada, ben, close };
}
