import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DisplayName, ShownName, tidyDisplayName } from './display-name.ts';

const taken = (name: string) => DisplayName.safeParse(name).success;

describe('a display name', () => {
  it.each([
    'Ada Lovelace',
    'Zoë O’Neil',
    'd’Artagnan-Ōta',
    '王小明',
    '王小明 (Wang Xiaoming)',
    'مريم العلي',
    'علی\u200cرضا',
    'क्\u200dष',
    'Ольга Петрова',
    'Ольга (Olga) Петрова',
    'Γιώργος Παπαδόπουλος',
    'お茶 太郎',
    'スミス・ジョン',
    '阿Q',
    '김철수',
    'Nguyễn Thị Ánh',
    'Łukasz Weiß',
    'שרה כהן',
    'ประยุทธ์',
    'Հայկ',
    'Hawaiʻi Kane',
    'J. R. R. Tolkien, 3rd',
    'Ada 🎉',
    'R2D2',
    '𠮷野家',
  ])('may be %s', (name) => expect(taken(tidyDisplayName(name))).toBe(true));

  it.each([
    ['zero width space', 'Ada\u200bLovelace'],
    ['zero width joiner among Latin letters', 'Ada\u200dLovelace'],
    ['zero width non-joiner among Latin letters', 'Ada\u200c Lovelace'],
    ['zero width joiner after a vowel sign', 'श्री\u200dमान'],
    ['word joiner', 'Ada\u2060'],
    ['soft hyphen', 'Ada\u00ad'],
    ['right-to-left mark', '\u200fAda'],
    ['right-to-left override', 'Ada\u202eevil'],
    ['isolate', '\u2066Ada\u2069'],
    ['Hangul filler', 'Ada\u3164'],
    ['nothing but a Hangul filler', '\u3164'],
    ['braille blank', 'Ada\u2800'],
    ['variation selector', 'Ada\ufe0f'],
    ['tag characters', 'Ada\u{e0041}'],
    ['private use', 'Ada\ue000'],
    ['half a surrogate pair', 'Ada\ud800'],
    ['control', 'Ada\u0007'],
    ['line break', 'Ada\nLovelace'],
    ['no-break space', 'Ada\u00a0Lovelace'],
    ['two spaces', 'Ada  Lovelace'],
    ['a space at the end', 'Ada '],
    ['taken apart', 'Zoe\u0308'],
    ['Cyrillic among Latin', 'Аda Lovelace'],
    ['Greek among Latin', 'Αda'],
    ['Cherokee among Latin', 'Ꭺda'],
    ['a tower of marks', 'A\u0316\u0317\u0318\u0319\u031a\u031cda'],
    ['only signs', '---'],
    ['only a mark', '\u0301'],
    ['nothing', ''],
    ['too long', 'a'.repeat(65)],
  ])('may not hold %s', (_what, name) => expect(taken(name)).toBe(false));

  it('is tidied from what a person types', () => {
    expect(tidyDisplayName('  Zoe\u0308 \u3000 O’Neil\t')).toBe('Zoë O’Neil');
  });

  it('bears any text, quickly, and what it takes can be shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(!taken(text) || ShownName.safeParse(text).success).toBe(true);
      }),
    );
  });
});
