import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { icns, ico } from './containers.mjs';

const icons = new URL('../../resources/icons/', import.meta.url);
/** The width that a PNG gives itself (PNG specification, section 11.2.2). */
const widthOf = (png: Buffer) => png.readUInt32BE(16);
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

it('writes ICO entries that point at their pictures', () => {
  const images = [16, 256].map((size) => ({ size, png: Buffer.alloc(size, size % 251) }));
  const file = ico(images);
  expect([file.readUInt16LE(0), file.readUInt16LE(2), file.readUInt16LE(4)]).toEqual([0, 1, 2]);
  images.forEach(({ size, png }, index) => {
    const entry = file.subarray(6 + 16 * index, 22 + 16 * index);
    expect(entry[0]).toBe(size % 256);
    expect(file.subarray(entry.readUInt32LE(12), entry.readUInt32LE(12) + entry.readUInt32LE(8))).toEqual(png);
  });
});

it('writes ICNS chunks that fill the file exactly', () => {
  const file = icns([
    { size: 128, png: Buffer.alloc(5, 1) },
    { size: 256, png: Buffer.alloc(7, 2) },
  ]);
  expect(file.readUInt32BE(4)).toBe(file.length);
  const types: string[] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at + 4)) types.push(file.toString('latin1', at, at + 4));
  expect(types).toEqual(['ic07', 'ic08', 'ic13']);
});

it('made the icons that are there: whole PNGs of the sizes their entries say', () => {
  const file = readFileSync(new URL('icon.ico', icons));
  for (let index = 0; index < file.readUInt16LE(4); index += 1) {
    const entry = file.subarray(6 + 16 * index, 22 + 16 * index);
    const png = file.subarray(entry.readUInt32LE(12));
    expect(png.subarray(0, 8)).toEqual(PNG);
    expect(widthOf(png) % 256).toBe(entry[0]);
  }
  const apple = readFileSync(new URL('icon.icns', icons));
  expect(apple.readUInt32BE(4)).toBe(apple.length);
  for (const size of [16, 32, 48, 64, 128, 256, 512]) {
    expect(widthOf(readFileSync(new URL(`${size}x${size}.png`, icons)))).toBe(size);
  }
});
