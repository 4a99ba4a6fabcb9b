import { expect, test } from 'vitest';
import { hostileSuite, narrowed } from './hostile-suite.mjs';

const FILES = [
  'server/edge.hostile.test.ts',
  'server/origin.test.ts',
  'crypto/hostile-peer.test.ts',
  'e2e/chat.spec.ts',
];
const table = (names: string) =>
  `| Power | What holds | Test |\n| --- | --- | --- |\n| \`x\` | y | ${names} |\n\n\`z\``;

test('every test that the threat model names exists, and is in the suite', () => {
  const { missing, units, pages } = hostileSuite();
  expect(missing).toEqual([]);
  expect(units).toContain('server/ws/origin.test.ts');
  expect(units).toContain('crypto/sessions/hostile-peer.test.ts');
  expect(units).toContain('scripts/lint/contained.hostile.test.ts');
  expect(pages).toContain('e2e/notices.spec.ts');
});

test('takes what is named hostile, and what the threat model names besides', () => {
  const hostile = ['crypto/hostile-peer.test.ts', 'server/edge.hostile.test.ts'];
  expect(hostileSuite({ files: FILES, threatModel: table('') })).toMatchObject({ units: hostile, pages: [] });
  expect(hostileSuite({ files: FILES, threatModel: table('`origin`, `e2e/chat`') })).toEqual({
    units: [...hostile, 'server/origin.test.ts'],
    pages: ['e2e/chat.spec.ts'],
    missing: [],
  });
});

test('says which test of the threat model there is not', () => {
  for (const name of ['gone.hostile', 'rigin', 'server/chat'])
    expect(hostileSuite({ files: FILES, threatModel: table(`\`${name}\``) }).missing).toEqual([name]);
});

test('paths narrow the suite, options go to the runners', () => {
  const suite = hostileSuite({ files: FILES, threatModel: table('`e2e/chat`') });
  expect(narrowed(suite, ['server', '-t', 'crypto'])).toEqual({
    units: ['server/edge.hostile.test.ts'],
    pages: [],
    options: ['-t', 'crypto'],
  });
  expect(narrowed(suite, [])).toMatchObject({ units: suite.units, pages: suite.pages });
});
