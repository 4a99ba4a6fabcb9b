/** Characters that something somewhere treats as special: to regular expressions, addresses, markup, Unicode. */
const SPECIAL = [
  ...'aA0 .,:;!?-_/\\|@#$%^&*+=~\'"`<>()[]{}',
  '…',
  '»',
  '’',
  '\n',
  '\r',
  '\t',
  '\u0000',
  '\u00a0',
  '\u200b',
  '\u200d',
  '\u202e',
  '\u2067',
  '\ufeff',
  'é',
  'ß',
  'İ',
  '\u0301',
  '\u0316',
  '\ufdfa',
  '漢',
  'ש',
  '😀',
  '\ud83d',
  '\udc00',
] as const;

/** Beginnings after which the rest is read as something: an address, a host, an invitation. */
const BEFORE = ['', 'https://a/', 'https://', '#/join/'] as const;

/** What comes at last: a pattern that hoped for something else begins anew at each character. */
const AFTER = ['', 'x', '!', '\u0001'] as const;

/** Longest text that content may hold, in UTF-16 code units. */
export const LENGTH = 10_000;

/** Longest text that a frame may hold; whoever checks its length looks at no more of it. */
export const FRAME = 100_000;

/** Each special character, and each two of them, repeated up to `length` code units, after each beginning. */
export function* hostileTexts(length: number): Generator<string> {
  const units = [...SPECIAL, ...SPECIAL.flatMap((one) => SPECIAL.map((other) => one + other)), 'https://', '/join/'];
  for (const before of BEFORE) for (const unit of units) yield repeated(unit, length, before);
}

/** Each special character four times as often as content may hold, after each beginning and before each end. */
export function* longTexts(): Generator<string> {
  for (const before of BEFORE) {
    for (const after of AFTER) for (const unit of SPECIAL) yield repeated(unit, 4 * LENGTH, before, after);
  }
}

/** Each special character as often as a frame may hold. */
export function* frameTexts(): Generator<string> {
  for (const after of AFTER) for (const unit of SPECIAL) yield repeated(unit, FRAME, '', after);
}

function repeated(unit: string, length: number, before: string, after = ''): string {
  const room = length - after.length;
  return (before + unit.repeat(Math.ceil(room / unit.length))).slice(0, room) + after;
}

/** What a function may take for one text on a slow and busy machine. Quadratic ones take ten times as much. */
const ALLOWED_MS = 50;
const RUNS = 5;
/** Slow texts that say all. */
const ENOUGH = 3;

/** The first texts on which `run` takes too long, each time. Throws of `run` count as an answer. */
export function slowOn(texts: Iterable<string>, run: (text: string) => unknown): string[] {
  const slow: string[] = [];
  for (const text of texts) {
    if (shortest(text, run) > ALLOWED_MS) slow.push(JSON.stringify(text.slice(0, 20)));
    if (slow.length === ENOUGH) break;
  }
  return slow;
}

/** Milliseconds. Of several runs, as long as none is quick enough: a pause of the machine is not the function's. */
function shortest(text: string, run: (text: string) => unknown): number {
  let best = Infinity;
  for (let i = 0; i < RUNS && best > ALLOWED_MS; i += 1) {
    const begun = Date.now();
    try {
      run(text);
    } catch {
      // A refusal is as good.
    }
    best = Math.min(best, Date.now() - begun);
  }
  return best;
}
