import { expect, type Locator, type Page } from '@playwright/test';

/** Frames the browser has decoded for a tile's video so far (W3C media-playback-quality). */
export async function decodedFrames(tile: Locator): Promise<number> {
  return await tile
    .locator('video')
    .evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
}

/** Waits until a tile has decoded at least ten frames more than now: a picture that moves, not a still. */
export async function expectMovingPicture(tile: Locator): Promise<void> {
  await expect(tile).toBeVisible();
  const before = await decodedFrames(tile);
  await expect.poll(() => decodedFrames(tile), { timeout: 20_000 }).toBeGreaterThan(before + 10);
}

/** Watches every RTCPeerConnection of the page, so that its statistics can be read. Call before the page loads. */
export async function watchPeerConnections(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const Original = globalThis.RTCPeerConnection;
    const all: RTCPeerConnection[] = [];
    Object.assign(globalThis, { watchedPeerConnections: all });
    globalThis.RTCPeerConnection = class extends Original {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        all.push(this);
      }
    };
  });
}

export interface AudioReceived {
  readonly trackId: string;
  /** Sum of squared samples over time, W3C webrtc-stats `totalAudioEnergy`. */
  readonly energy: number;
}

/** Each audio track that arrives, with the energy decoded from it so far. Needs `watchPeerConnections`. */
export async function audioReceived(page: Page): Promise<AudioReceived[]> {
  return await page.evaluate(async () => {
    const { watchedPeerConnections: all } = globalThis as unknown as { watchedPeerConnections: RTCPeerConnection[] };
    const found: { trackId: string; energy: number }[] = [];
    for (const connection of all.filter(({ connectionState }) => connectionState === 'connected')) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio') {
          found.push({ trackId: report.trackIdentifier, energy: report.totalAudioEnergy ?? 0 });
        }
      }
    }
    return found;
  });
}

/** Waits until `count` audio tracks arrive whose energy grows above silence (the fake microphone beeps each second). */
export async function expectSound(page: Page, count: number): Promise<void> {
  const before = new Map((await audioReceived(page)).map(({ trackId, energy }) => [trackId, energy]));
  await expect
    .poll(
      async () => {
        const now = await audioReceived(page);
        return now.filter(({ trackId, energy }) => energy - (before.get(trackId) ?? 0) > 0.0001).length;
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThanOrEqual(count);
}
