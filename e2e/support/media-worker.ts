import { expect, type Locator } from '@playwright/test';
import type { TestServer } from './server.ts';

/** Process id of the media worker that was started last, as the server's log says. */
export function mediaWorkerPid(server: TestServer): number {
  const line = server.output.split('\n').findLast((one) => one.includes('media worker started'));
  const pid = line
    ?.match(/"?pid"?[:=]\s*(\d+)/g)
    ?.at(-1)
    ?.match(/\d+/)?.[0];
  if (pid === undefined) throw new Error('the server has not told of a media worker');
  return Number(pid);
}

/** The stream that a tile's video shows; null while it shows none. */
export async function shownStream(tile: Locator): Promise<string | null> {
  const videos = await tile.locator('video').evaluateAll((all) =>
    all.map((video) => {
      const { srcObject, readyState } = video as HTMLVideoElement;
      return srcObject instanceof MediaStream && readyState >= 2 ? srcObject.id : null;
    }),
  );
  return videos[0] ?? null;
}

/** Milliseconds until a tile shows the first frame of another stream than `before`. */
export async function untilNewPicture(tile: Locator, before: string | null): Promise<number> {
  const start = performance.now();
  const another = async () => {
    const now = await shownStream(tile);
    return now !== null && now !== before;
  };
  await expect.poll(another, { timeout: 30_000, intervals: [50] }).toBe(true);
  return performance.now() - start;
}
