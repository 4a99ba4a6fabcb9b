import { expect, test } from 'vitest';
import { Preferences } from './preferences.svelte.ts';

function storage(initial?: string) {
  const items = new Map(initial === undefined ? [] : [['teahouse.preferences', initial]]);
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

test('a choice outlives the window', () => {
  const kept = storage();
  const preferences = new Preferences(kept);
  expect([preferences.theme, preferences.language]).toEqual(['system', null]);
  preferences.theme = 'dark';
  preferences.language = 'de';
  const next = new Preferences(kept);
  expect([next.theme, next.language]).toEqual(['dark', 'de']);
});

test.each(['', 'null', '[]', '{"theme":"pink"}', '{"theme":1,"language":{}}', 'not json'])(
  'nonsense in the storage (%s) is the default',
  (text) => expect(new Preferences(storage(text)).theme).toBe('system'),
);

test('one bad value does not take the other with it', () => {
  expect(new Preferences(storage('{"theme":"pink","language":"de"}')).language).toBe('de');
});

test('a storage that refuses still lets one choose', () => {
  const refusing = {
    getItem: () => null,
    setItem() {
      throw new Error('full');
    },
  };
  for (const preferences of [new Preferences(refusing), new Preferences(null)]) {
    preferences.theme = 'light';
    expect(preferences.theme).toBe('light');
  }
});
