/**
 * A burst of messages on a slow line: from the first one that leaves to the answer to the last, beside as many echoes of
 * frames of the same size on a bare WebSocket over an equal line. The two take turns.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { send } from '../protocol/chat.ts';
import { Line } from '../e2e/support/line.ts';
import { openPair, type Pair } from './browser.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const MESSAGES = 60;
const ROUNDS = 3;
/** In each direction. Milliseconds. */
const DELAY_MS = 300;
/** A short text, sealed for one device, as a frame. Bytes. */
const FRAME_BYTES = 900;

/** The frames of one burst, as the sender's page saw them. Milliseconds of one clock. */
interface Burst {
  readonly sent: Map<number, number>;
  readonly answered: Map<number, number>;
}

async function teahouse(pair: Pair, round: number): Promise<{ whole: number; afterSealing: number }> {
  const { ada, ben } = pair;
  ada.line.cut();
  for (let n = 1; n <= MESSAGES; n += 1) await ada.say(`burst${round} ${n}`);
  const burst = watch(pair);
  ada.line.delay(DELAY_MS);
  ada.line.restore();
  // The backoff of the time offline comes first.
  const deadline = performance.now() + 60_000;
  while (burst.answered.size < MESSAGES) {
    if (performance.now() > deadline) throw new Error(`only ${burst.answered.size} were answered`);
    await ada.page.waitForTimeout(20);
  }
  await ben.sees(`burst${round} ${MESSAGES}`);
  ada.line.delay(0);
  const shown = await ben.seriesOnScreen(`burst${round}`);
  if (shown.join() !== Array.from({ length: MESSAGES }, (_, i) => `burst${round} ${i + 1}`).join())
    throw new Error(`out of order: ${shown.join()}`);
  const sent = [...burst.sent.values()];
  const last = Math.max(...burst.answered.values());
  return { whole: last - Math.min(...sent), afterSealing: last - Math.max(...sent) };
}

/** Notes when the page's sends leave and when their answers arrive. Receipts are sends too, and come later. */
function watch({ ada }: Pair): Burst {
  const burst: Burst = { sent: new Map(), answered: new Map() };
  ada.page.once('websocket', function follow(socket) {
    ada.page.once('websocket', follow);
    socket.on('framesent', ({ payload }) => {
      const text = payload.toString();
      if (!text.includes(`"method":"${send.name}"`) || burst.sent.size >= MESSAGES) return;
      burst.sent.set((JSON.parse(text) as { id: number }).id, performance.now());
    });
    socket.on('framereceived', ({ payload }) => {
      const { id } = JSON.parse(payload.toString()) as { id?: number };
      if (id !== undefined && burst.sent.has(id)) burst.answered.set(id, performance.now());
    });
  });
  return burst;
}

/** The limit: the same number of frames, sent at once and echoed. */
async function rawEchoes(): Promise<number> {
  const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(echo, 'listening');
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  const line = await Line.open((echo.address() as AddressInfo).port);
  line.delay(DELAY_MS);
  const socket = new WebSocket(line.origin.replace('http', 'ws'));
  await once(socket, 'open');
  const start = performance.now();
  let echoes = 0;
  const all = new Promise<void>((done) => socket.on('message', () => void (++echoes === MESSAGES && done())));
  for (let n = 0; n < MESSAGES; n += 1) socket.send('x'.repeat(FRAME_BYTES));
  await all;
  const elapsed = performance.now() - start;
  socket.terminate();
  await line.close();
  echo.close();
  return elapsed;
}

const pair = await openPair();
const [raw, whole, afterSealing]: [number[], number[], number[]] = [[], [], []];
try {
  for (let round = 1; round <= ROUNDS; round += 1) {
    raw.push(await rawEchoes());
    const ours = await teahouse(pair, round);
    whole.push(ours.whole);
    afterSealing.push(ours.afterSealing);
  }
} finally {
  await pair.close();
}
const bare = percentile(raw, 0.5);
const limit = { name: `${MESSAGES} raw echoes, ${DELAY_MS} ms each way`, value: bare, unit: 'ms' };
report({
  bench: 'chat.burst.whole',
  value: percentile(whole, 0.5),
  unit: 'ms',
  target: 1.5 * bare,
  lowerIsBetter: true,
  limit,
});
report({
  bench: 'chat.burst.after_sealing',
  value: percentile(afterSealing, 0.5),
  unit: 'ms',
  lowerIsBetter: true,
  limit,
});
