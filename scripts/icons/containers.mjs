// The two file formats that hold one icon in several sizes, each written around PNGs as they are.

/**
 * An ICO file (Windows Vista and later read PNG entries).
 * @param {readonly {size: number, png: Buffer}[]} images - Square, at most 256 pixels wide.
 * @returns {Buffer}
 */
export function ico(images) {
  const header = Buffer.alloc(6);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(images.length, 4);
  let offset = header.length + 16 * images.length;
  const entries = images.map(({ size, png }) => {
    const entry = Buffer.alloc(16);
    // One byte each; 0 stands for 256.
    entry.writeUInt8(size % 256, 0);
    entry.writeUInt8(size % 256, 1);
    entry.writeUInt16LE(1, 4);
    entry.writeUInt16LE(32, 6);
    entry.writeUInt32LE(png.length, 8);
    entry.writeUInt32LE(offset, 12);
    offset += png.length;
    return entry;
  });
  return Buffer.concat([header, ...entries, ...images.map(({ png }) => png)]);
}

/**
 * The entry types that hold PNG, by width in pixels; the `@2x` ones are told by macOS from their pixels.
 *
 * @type {Readonly<Record<number, readonly string[]>>}
 */
const ICNS_TYPES = {
  16: ['icp4'],
  32: ['icp5', 'ic11'],
  64: ['ic12'],
  128: ['ic07'],
  256: ['ic08', 'ic13'],
  512: ['ic09', 'ic14'],
};

/**
 * An ICNS file.
 * @param {readonly {size: number, png: Buffer}[]} images
 * @returns {Buffer}
 */
export function icns(images) {
  const entries = images.flatMap(({ size, png }) =>
    (ICNS_TYPES[size] ?? []).map((type) => Buffer.concat([tag(type, png.length + 8), png])),
  );
  const length = entries.reduce((sum, entry) => sum + entry.length, 8);
  return Buffer.concat([tag('icns', length), ...entries]);
}

/**
 * @param {string} type - Four characters.
 * @param {number} length - Of the whole chunk, in bytes.
 */
function tag(type, length) {
  const bytes = Buffer.alloc(8);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(length, 4);
  return bytes;
}
