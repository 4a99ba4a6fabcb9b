import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/lib/chromium.mjs';

const chromium = findChromium();

export const chromiumArguments = [
  // Chromium refuses its sandbox to root, which is who runs the tests in most containers.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--auto-select-desktop-capture-source=Entire screen',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // The tests share one machine's cores with encoders, a server and its media workers: side by side they only slow each other.
  workers: 1,
  fullyParallel: false,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  forbidOnly: process.env['CI'] !== undefined,
  reporter: [['list']],
  use: {
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    locale: 'en-GB',
    actionTimeout: 20_000,
  },
  projects: [
    {
      name: 'chromium',
      testIgnore: '**/electron/**',
      use: {
        browserName: 'chromium',
        permissions: ['camera', 'microphone', 'notifications'],
        launchOptions: { ...(chromium ? { executablePath: chromium } : {}), args: chromiumArguments },
      },
    },
    { name: 'electron', testMatch: 'electron/**/*.spec.ts' },
  ],
});
