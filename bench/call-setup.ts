/** From the click on "Accept" to the first decoded frame of the caller's camera. */
import type { Browser, Page } from '@playwright/test';
import { openBrowser, openPair } from './browser.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const CALLS = 12;

async function firstFrameAfterAccept(page: Page, caller: string): Promise<number> {
  return await page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const accept = [...document.querySelectorAll('button')].find(
          (button) => (button.getAttribute('aria-label') ?? button.textContent ?? '').trim() === 'Accept',
        );
        const started = performance.now();
        accept?.click();
        const look = () => {
          const video = document.querySelector<HTMLVideoElement>(`[role="group"][aria-label="${name}"] video`);
          if (video) video.requestVideoFrameCallback(() => resolve(performance.now() - started));
          else requestAnimationFrame(look);
        };
        look();
      }),
    caller,
  );
}

async function teahouse(): Promise<number[]> {
  const pair = await openPair();
  const samples: number[] = [];
  try {
    for (let n = 0; n < CALLS; n++) {
      await pair.ada.page.getByRole('button', { name: 'Start video call' }).click();
      await pair.ben.page.getByRole('button', { name: 'Accept' }).waitFor();
      // People take a moment to answer; the caller's camera is running by then.
      await pair.ben.page.waitForTimeout(1500);
      samples.push(await firstFrameAfterAccept(pair.ben.page, pair.ada.name));
      await pair.ada.page.getByRole('button', { name: 'Leave call' }).click();
      await pair.ben.page.getByRole('button', { name: 'Leave call' }).waitFor({ state: 'hidden' });
      await pair.ben.page.waitForTimeout(500);
    }
  } finally {
    await pair.close();
  }
  return samples;
}

/** The limit: two RTCPeerConnections in one page with the same fake camera: ICE, DTLS and a first decoded frame. */
async function rawPeerConnection(browser: Browser): Promise<number[]> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  await page.goto('about:blank');
  const samples: number[] = [];
  for (let n = 0; n < CALLS; n++) {
    samples.push(
      await page.evaluate(async () => {
        const canvas = document.createElement('canvas');
        canvas.width = 1280;
        canvas.height = 720;
        const painter = canvas.getContext('2d')!;
        const paint = setInterval(() => {
          painter.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`;
          painter.fillRect(0, 0, 1280, 720);
        }, 33);
        const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
        near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined);
        far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined);
        for (const track of canvas.captureStream(30).getTracks()) near.addTrack(track);
        const started = performance.now();
        const shown = new Promise<number>((resolve) => {
          far.ontrack = ({ track }) => {
            const video = document.createElement('video');
            video.muted = true;
            video.srcObject = new MediaStream([track]);
            document.body.append(video);
            video.requestVideoFrameCallback(() => resolve(performance.now() - started));
            void video.play();
          };
        });
        await near.setLocalDescription(await near.createOffer());
        await far.setRemoteDescription(near.localDescription!);
        await far.setLocalDescription(await far.createAnswer());
        await near.setRemoteDescription(far.localDescription!);
        const elapsed = await shown;
        clearInterval(paint);
        near.close();
        far.close();
        document.body.replaceChildren();
        return elapsed;
      }),
    );
  }
  await context.close();
  return samples;
}

const browser = await openBrowser();
const raw = await rawPeerConnection(browser);
await browser.close();
const ours = await teahouse();
const limit = { name: 'raw ICE, DTLS and first frame in one page, p50', value: percentile(raw, 0.5), unit: 'ms' };
report({
  bench: 'calls.accept_to_first_frame.p50',
  value: percentile(ours, 0.5),
  unit: 'ms',
  target: 800,
  lowerIsBetter: true,
  limit,
});
report({
  bench: 'calls.accept_to_first_frame.p95',
  value: percentile(ours, 0.95),
  unit: 'ms',
  lowerIsBetter: true,
  limit,
});
