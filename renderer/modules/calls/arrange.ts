/** The stage's size and what stands on it. CSS pixels. */
export interface StageInput {
  readonly width: number;
  readonly height: number;
  /** Tiles of people; oneself is the last. */
  readonly people: number;
  /** Shared screens. */
  readonly screens: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arrangement {
  readonly people: readonly Rect[];
  readonly screens: readonly Rect[];
  /** The last person's tile floats over the first one's. */
  readonly floating: boolean;
}

/** Faces look well between these shapes (width by height), whatever shape the stage has. */
const TALLEST = 3 / 4;
const WIDEST = 16 / 9;
/** In the strip beside a shared screen, where tall tiles would leave room for few. */
const STRIP_TALLEST = 4 / 3;
/** A stage narrower than this puts the strip below the shared screen. CSS pixels. */
const SIDE_STRIP_FROM = 720;

/**
 * Places every tile on the stage: one fills it, two are a face with oneself in the corner, more are a grid of equal
 * tiles as large as they can be; a shared screen takes most of the room, and the others a strip beside or below it.
 */
export function arrange(input: StageInput): Arrangement {
  const { width, height, people, screens } = input;
  if (width <= 0 || height <= 0) return { people: nowhere(people), screens: nowhere(screens), floating: false };
  if (screens > 0) return withScreen(input);
  if (people === 2) return duo(width, height);
  return { people: grid({ x: 0, y: 0, width, height }, people, gapOf(width)), screens: [], floating: false };
}

/** The largest equal tiles for `count` in an area, each row centred. */
export function grid(area: Rect, count: number, gap: number, tallest: number = TALLEST): readonly Rect[] {
  const best = bestColumns(area, count, gap, tallest);
  const rows = Math.ceil(count / best.columns);
  const top = area.y + (area.height - rows * best.height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / best.columns);
    const inRow = Math.min(best.columns, count - row * best.columns);
    const left = area.x + (area.width - inRow * best.width - (inRow - 1) * gap) / 2;
    const column = index - row * best.columns;
    return {
      x: left + column * (best.width + gap),
      y: top + row * (best.height + gap),
      width: best.width,
      height: best.height,
    };
  });
}

interface Columns {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
}

function bestColumns(area: Rect, count: number, gap: number, tallest: number): Columns {
  let best: Columns = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cell = {
      width: Math.max(0, (area.width - (columns - 1) * gap) / columns),
      height: Math.max(0, (area.height - (rows - 1) * gap) / rows),
    };
    const shaped = shape(cell.width, cell.height, tallest);
    if (worth(shaped) > worth(best) * 1.001) best = { columns, ...shaped };
  }
  return best;
}

/** Area counts, and less so what of a usual camera's picture a narrower tile would cut off at its sides. */
function worth({ width, height }: { readonly width: number; readonly height: number }): number {
  return height === 0 ? 0 : width * height * Math.sqrt(width / height / WIDEST);
}

/** The largest tile of a pleasant shape in a cell. */
function shape(width: number, height: number, tallest: number): { width: number; height: number } {
  const ratio = width / height;
  if (ratio > WIDEST) return { width: height * WIDEST, height };
  if (ratio < tallest) return { width, height: width / tallest };
  return { width, height };
}

function duo(width: number, height: number): Arrangement {
  const inset = gapOf(width) * 1.5;
  const portrait = height > width;
  const ratio = portrait ? TALLEST : WIDEST;
  const small = clamp((portrait ? 0.28 : 0.18) * width, 96, 420);
  const own = { width: small, height: small / ratio };
  return {
    people: [
      { x: 0, y: 0, width, height },
      { x: width - own.width - inset, y: height - own.height - inset, ...own },
    ],
    screens: [],
    floating: true,
  };
}

function withScreen({ width, height, people, screens }: StageInput): Arrangement {
  const gap = gapOf(width);
  const beside = width >= SIDE_STRIP_FROM && width > height;
  const strip = beside ? clamp(width * 0.18, 150, 420) : clamp(height * 0.22, 76, 260);
  const main = beside
    ? { x: 0, y: 0, width: width - strip - gap, height }
    : { x: 0, y: 0, width, height: height - strip - gap };
  const rest = beside
    ? { x: main.width + gap, y: 0, width: strip, height }
    : { x: 0, y: main.height + gap, width, height: strip };
  // Screens beyond the first share the strip with the people.
  const others = grid(rest, people + screens - 1, gap, STRIP_TALLEST);
  return { screens: [main, ...others.slice(0, screens - 1)], people: others.slice(screens - 1), floating: false };
}

function gapOf(width: number): number {
  return width < 600 ? 6 : 12;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function nowhere(count: number): readonly Rect[] {
  return Array.from({ length: count }, () => ({ x: 0, y: 0, width: 0, height: 0 }));
}
