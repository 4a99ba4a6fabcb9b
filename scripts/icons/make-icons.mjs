// Draws the app's icon in every size and format from resources/icons/teahouse.svg. Run when the drawing changes;
// what it makes is committed, so that building needs no browser:  node scripts/icons/make-icons.mjs
import { chromium } from '@playwright/test';
import { readFile, writeFile } from 'node:fs/promises';
import { findChromium } from '../lib/chromium.mjs';
import { icns, ico } from './containers.mjs';

const SIZES = [16, 24, 32, 48, 64, 128, 256, 512];
/** What Linux desktops and the installers are given; the others live inside of the containers. */
const AS_FILES = [16, 32, 48, 64, 128, 256, 512];
const folder = new URL('../../resources/icons/', import.meta.url);

const svg = await readFile(new URL('teahouse.svg', folder), 'utf8');
const executablePath = findChromium();
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const images = [];
try {
  const page = await browser.newPage();
  for (const size of SIZES) {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(
      `<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
    );
    images.push({ size, png: await page.screenshot({ omitBackground: true }) });
  }
} finally {
  await browser.close();
}

const upTo256 = images.filter(({ size }) => size <= 256);
await writeFile(new URL('icon.ico', folder), ico(upTo256));
await writeFile(new URL('icon.icns', folder), icns(images));
for (const { size, png } of images.filter((image) => AS_FILES.includes(image.size))) {
  await writeFile(new URL(`${size}x${size}.png`, folder), png);
}
