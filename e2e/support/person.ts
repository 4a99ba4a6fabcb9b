import { type Browser, type BrowserContext, expect, type Locator, type Page } from '@playwright/test';
import type { Line } from './line.ts';
import type { TestServer } from './server.ts';

const PASSWORD = 'a quiet cup of tea';

/** Somebody at their own machine: a browser context of their own, driven by accessible names alone. */
export class Person {
  readonly name: string;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly line: Line;
  /** Every WebSocket frame and HTTP body that left or reached this person's browser, as text. */
  readonly wire: string[] = [];

  constructor(name: string, context: BrowserContext, page: Page, line: Line) {
    this.name = name;
    this.context = context;
    this.page = page;
    this.line = line;
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => this.wire.push(payload.toString()));
      socket.on('framereceived', ({ payload }) => this.wire.push(payload.toString()));
    });
    page.on('request', (request) => this.wire.push(`${request.url()} ${request.postData() ?? ''}`));
  }

  static async arrive(browser: Browser, name: string, server: TestServer): Promise<Person> {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
    return new Person(name, context, await context.newPage(), await server.line());
  }

  get username(): string {
    return this.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '.');
  }

  async open(invitation = ''): Promise<void> {
    await this.page.goto(`${this.line.origin}/${invitation}`);
  }

  /** `invitation`: the fragment of an invitation link. */
  async signUp(invitation: string): Promise<void> {
    await this.open(invitation);
    await this.signUpHere();
  }

  /** Fills in the form that an invitation opened. */
  async signUpHere(): Promise<void> {
    await this.page.getByLabel('Display name', { exact: true }).fill(this.name);
    await this.page.getByLabel('Username', { exact: true }).fill(this.username);
    await this.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Create account' }).click();
    await expect(this.page.getByRole('navigation')).toBeVisible();
  }

  async signIn(): Promise<void> {
    await this.page.getByLabel('Username', { exact: true }).fill(this.username);
    await this.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  async goTo(place: 'Chats' | 'Calls' | 'Contacts' | 'Settings'): Promise<void> {
    const there = this.page.getByRole('navigation').getByRole('link', { name: place });
    await there.or(this.page.getByRole('navigation').getByRole('button', { name: place })).click();
  }

  /** Opens the conversation with `other` by the "New chat" dialog, as somebody who never wrote to them. */
  async openChatWith(other: Person): Promise<void> {
    await this.page.getByRole('button', { name: 'New chat' }).first().click();
    await this.page.getByLabel('Find people').fill(other.name);
    await this.page.getByRole('option', { name: other.name }).click();
    await expect(this.messageField).toBeVisible();
  }

  get messageField(): Locator {
    return this.page.getByLabel('Message', { exact: true });
  }

  get log(): Locator {
    return this.page.getByRole('log', { name: 'Messages' });
  }

  async say(text: string): Promise<void> {
    await this.messageField.fill(text);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  async sees(text: string): Promise<void> {
    await expect(this.log.getByText(text, { exact: true })).toBeVisible();
  }

  /** The texts of this series in the opened conversation, in the order of the screen. */
  async seriesOnScreen(prefix: string): Promise<string[]> {
    return await this.log.getByText(new RegExp(`^${prefix} \\d+$`)).allTextContents();
  }

  tile(other: Person): Locator {
    return this.page.getByRole('group', { name: other.name, exact: true });
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
