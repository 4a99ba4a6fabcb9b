import { expect, test, vi } from 'vitest';
import { UserId } from '../../protocol/ids.ts';
import { en } from '../i18n/en.ts';
import { commandsOf, matchingCommands } from './commands.ts';

const userId = UserId.parse('11111111-1111-4111-8111-111111111111');
const ada = { userId, username: 'ada', displayName: 'Ada Byron', role: 'member' } as const;

function setUp() {
  const actions = { go: vi.fn(), newChat: vi.fn(), help: vi.fn(), setTheme: vi.fn() };
  return { actions, commands: commandsOf(en, [ada], actions) };
}
const names = (commands: readonly { name: string }[]) => commands.map(({ name }) => name);

test('every command has an id of its own', () => {
  const { commands } = setUp();
  expect(new Set(commands.map(({ id }) => id)).size).toBe(commands.length);
});

test('people are found by name and by username, and lead to their chat', () => {
  const { actions, commands } = setUp();
  const [found] = matchingCommands(commands, 'byron ada', 10);
  expect(found?.name).toBe('Chat with Ada Byron');
  found?.run();
  expect(actions.go).toHaveBeenCalledWith({ page: 'chats', userId });
});

test('what begins with the text comes first', () => {
  const { commands } = setUp();
  expect(names(matchingCommands(commands, 'a', 20))[0]).toBe('Appearance: System');
  expect(names(matchingCommands(commands, 'new', 20))).toEqual(['New chat']);
});

test('no text finds everything up to the limit', () => {
  const { commands } = setUp();
  expect(matchingCommands(commands, '  ', 100)).toHaveLength(commands.length);
  expect(matchingCommands(commands, '', 2)).toHaveLength(2);
  expect(matchingCommands(commands, 'no such thing', 20)).toEqual([]);
});
