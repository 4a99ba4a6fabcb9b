/**
 * Messages over a line each of whose directions stops for 10 to 40 s by itself and flows for up to 10 s in between: how
 * long they take, and how often the banner changes. Takes four minutes, or as many seconds as the first argument says.
 */
import process from 'node:process';
import { openPair } from './browser.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const SECONDS = Number(process.argv[2] ?? 240);
const EVERY_MS = 10_000;
/** After the weather has cleared up. */
const LAST_MS = 60_000;

const pair = await openPair();
const { ada, ben } = pair;
const waits: number[] = [];
try {
  const changes = await ada.page.evaluateHandle(() => {
    const seen: string[] = [];
    const banner = document.querySelector('.line');
    if (!banner) throw new Error('there is no banner');
    new MutationObserver(() => {
      const text = banner.textContent?.trim() ?? '';
      if (text !== (seen.at(-1) ?? '')) seen.push(text);
    }).observe(banner, { subtree: true, childList: true, characterData: true });
    return seen;
  });
  ada.line.falter({
    stallMs: () => 10_000 + Math.random() * 30_000,
    flowMs: () => Math.random() * 10_000,
  });
  const arrivals: Promise<void>[] = [];
  for (let n = 1; n <= (SECONDS * 1000) / EVERY_MS; n += 1) {
    const began = performance.now();
    await ada.say(`stalled ${n}`);
    const seen = ben.log.getByText(`stalled ${n}`, { exact: true });
    arrivals.push(
      seen.waitFor({ timeout: SECONDS * 1000 + LAST_MS }).then(() => void waits.push(performance.now() - began)),
    );
    await ada.page.waitForTimeout(EVERY_MS - (performance.now() - began));
  }
  const during = waits.length;
  ada.line.falter(null);
  await Promise.all(arrivals);
  const said = await changes.jsonValue();
  report({ bench: 'chat.stalls.delivery.p50', value: percentile(waits, 0.5) / 1000, unit: 's', lowerIsBetter: true });
  report({ bench: 'chat.stalls.delivery.worst', value: percentile(waits, 1) / 1000, unit: 's', lowerIsBetter: true });
  report({ bench: 'chat.stalls.delivered_meanwhile', value: during / waits.length, unit: 'of all' });
  report({ bench: 'chat.stalls.banner_changes', value: said.length, unit: 'changes', target: 30, lowerIsBetter: true });
} finally {
  await pair.close();
}
