/** A dot for the Windows task bar, where the app's icon cannot carry a number. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** BGRA, premultiplied, rows from the top. */
  readonly pixels: Buffer;
}

/** Tea-red, in the order blue, green, red. */
const COLOUR = [0x2b, 0x35, 0xad] as const;

/** Draws a filled circle with soft edges. @param size - Its width and height, in pixels. */
export function drawDot(size: number): Bitmap {
  const pixels = Buffer.alloc(size * size * 4);
  const radius = size / 2;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const distance = Math.hypot(x + 0.5 - radius, y + 0.5 - radius);
      const cover = Math.min(Math.max(radius - distance, 0), 1);
      const channels = [...COLOUR.map((channel) => Math.round(channel * cover)), Math.round(255 * cover)];
      pixels.set(channels, (y * size + x) * 4);
    }
  }
  return { width: size, height: size, pixels };
}

export interface BadgeOptions {
  readonly platform: NodeJS.Platform;
  readonly setCount: (count: number) => void;
  /** Puts the dot over the window's task bar button, or takes it away. */
  readonly setDot: (dot: Bitmap | null, description: string) => void;
}

/** Shows on the app's icon how much is unread: a number where the system can, else a dot. */
export function createBadge({ platform, setCount, setDot }: BadgeOptions): (count: number) => void {
  if (platform !== 'win32') return setCount;
  const dot = drawDot(32);
  return (count) => setDot(count > 0 ? dot : null, count > 0 ? `${count} unread` : '');
}
