import { describe, expect, test } from 'vitest';
import { shortcutOf } from './shortcuts.ts';

const press = (keys: Partial<KeyboardEvent>, typing = false) =>
  shortcutOf(
    { key: '', code: '', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, isComposing: false, ...keys },
    typing,
  );

describe('the palette', () => {
  test('opens by Ctrl K and by Command K, whatever the case', () => {
    expect(press({ key: 'k', ctrlKey: true })).toEqual({ kind: 'palette' });
    expect(press({ key: 'K', metaKey: true })).toEqual({ kind: 'palette' });
  });
  test('not by both, nor with Shift or Alt, which belong to others', () => {
    expect(press({ key: 'k', ctrlKey: true, metaKey: true })).toBeNull();
    expect(press({ key: 'k', ctrlKey: true, shiftKey: true })).toBeNull();
    expect(press({ key: 'k', ctrlKey: true, altKey: true })).toBeNull();
    expect(press({ key: 'k' })).toBeNull();
  });
});

test('Alt and a digit goes to the module, by the place of the key', () => {
  expect(press({ key: '¡', code: 'Digit1', altKey: true })).toEqual({ kind: 'module', index: 0 });
  expect(press({ key: '4', code: 'Digit4', altKey: true })).toEqual({ kind: 'module', index: 3 });
  expect(press({ key: '5', code: 'Digit5', altKey: true })).toBeNull();
});

test('AltGr, which types characters, is no Alt', () => {
  expect(press({ code: 'KeyN', altKey: true, ctrlKey: true })).toBeNull();
});

test('a question mark is text where one types', () => {
  expect(press({ key: '?', shiftKey: true })).toEqual({ kind: 'help' });
  expect(press({ key: '?', shiftKey: true }, true)).toBeNull();
});

test('keys of an input method are its own', () => {
  expect(press({ key: 'Escape', isComposing: true })).toBeNull();
  expect(press({ key: 'Escape' })).toEqual({ kind: 'back' });
});
