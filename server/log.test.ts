import { expect, it } from 'vitest';
import { createLog } from './log.ts';

const SECRET = 'the-secret-word';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('trace', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

it.each([
  ['a request', { request: { method: 'accounts.signIn', params: { password: SECRET } } }],
  ['a password', { password: SECRET }],
  ['a session', { user: { session: SECRET } }],
  ['an envelope', { frame: { event: { envelope: { payload: SECRET } } } }],
  ['a body', { key: { body: SECRET } }],
  ['a header', { request: { headers: { authorization: SECRET, cookie: SECRET } } }],
  ['a person', { account: { displayName: SECRET, username: SECRET } }],
])('writes nothing secret of %s that is logged whole by mistake', (_, object) => {
  const text = logged((log) => log.info(object, 'oops'));
  expect(text).toContain('oops');
  expect(text).not.toContain(SECRET);
});

it('writes of an error where it arose and its code, not its words, which may quote what was sent', () => {
  const cause = Object.assign(new Error(`duplicate key (${SECRET})`), { code: '23505' });
  const text = logged((log) => log.error({ err: new Error(`bad value ${SECRET}`, { cause }) }, 'failed'));
  expect(text).not.toContain(SECRET);
  expect(text).toContain('23505');
  expect(text).toContain('log.test.ts');
});

it('keeps ids', () => {
  expect(logged((log) => log.info({ connectionId: 'c-1', method: 'chat.send' }, 'x'))).toContain('c-1');
});
