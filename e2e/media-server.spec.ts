/**
 * Real media through the media server and the calls module alone: Chromium with fake devices on one side, the module's
 * methods on the other, and nothing of the app between them.
 */
import { expect, type Browser, type Page, test } from '@playwright/test';
import * as wire from '../protocol/calls.ts';
import { METHODS } from '../protocol/contract.ts';
import type { CallId } from '../protocol/ids.ts';
import type { ResultOf } from '../protocol/method.ts';
import { CallsHarness, newCallId, type TestClient } from '../server/modules/calls/testing/calls-harness.ts';
import { LIMITS } from '../server/sfu/limits.ts';
import { createSfu, type Sfu } from '../server/sfu/sfu.ts';
import { silentLog } from '../server/sfu/testing/rtp-parameters.ts';
import { bundleMediaPage } from './support/media-page/bundle.ts';
import type { MediaPage, Received } from './support/media-page/page.ts';

const ORIGIN = 'http://localhost:1/';

let sfu: Sfu;
let harness: CallsHarness;
let script: string;
let ada: Visitor;
let ben: Visitor;
let callId: CallId;

test.describe.configure({ mode: 'serial' });

/** A page, and the connection it speaks over. */
class Visitor {
  readonly page: Page;
  client: TestClient;
  /** As behind a firewall that lets no UDP through: the other candidates are not told. */
  tcpOnly = false;

  private constructor(page: Page, client: TestClient) {
    this.page = page;
    this.client = client;
  }

  static async arrive(browser: Browser): Promise<Visitor> {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
    const page = await context.newPage();
    const visitor = new Visitor(page, harness.client());
    await page.route(ORIGIN, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>call</title>' }),
    );
    await page.exposeFunction('callServer', async (name: string, params: never) => {
      const method = METHODS.find((one) => one.name === name);
      if (method === undefined) throw new Error(`no method ${name}`);
      const result = await visitor.client.request(method, params);
      return visitor.tcpOnly && name === wire.join.name ? withTcpOnly(result as ResultOf<typeof wire.join>) : result;
    });
    harness.onRecorded(({ userId, deviceId, event, params }) => {
      const mine = userId === visitor.client.userId && deviceId === visitor.client.deviceId;
      if (mine) void visitor.run((media, [name, what]) => media.hear(name, what), [event, params] as [string, unknown]);
    });
    await visitor.open();
    return visitor;
  }

  async open(): Promise<void> {
    await this.page.goto(ORIGIN);
    await this.page.addScriptTag({ content: script });
  }

  async join(): Promise<number | null> {
    return await this.run((media, id) => media.join(id), callId as string);
  }

  async received(source: wire.Source): Promise<Received | undefined> {
    const all = await this.run((media) => media.received(), null);
    return all.find((one) => one.source === source);
  }

  async seesMovement(): Promise<void> {
    await expect.poll(() => this.received('camera')).toBeDefined();
    const before = (await this.received('camera'))?.framesDecoded ?? 0;
    await expect.poll(async () => (await this.received('camera'))?.framesDecoded ?? 0).toBeGreaterThan(before + 15);
  }

  async hearsSound(): Promise<void> {
    const before = (await this.received('microphone'))?.audioEnergy ?? 0;
    await expect
      .poll(async () => (await this.received('microphone'))?.audioEnergy ?? 0)
      .toBeGreaterThan(before + 0.0001);
  }

  run<T, A>(work: (media: MediaPage, argument: A) => T | Promise<T>, argument: A): Promise<T> {
    const body = `(argument) => (${work.toString()})(globalThis.mediaPage, argument)`;
    return this.page.evaluate(new Function(`return ${body}`)() as (argument: A) => T, argument as never);
  }
}

function withTcpOnly(answer: ResultOf<typeof wire.join>): ResultOf<typeof wire.join> {
  const only = (transport: wire.TransportOptions) => ({
    ...transport,
    iceCandidates: transport.iceCandidates.filter((candidate) => candidate['protocol'] === 'tcp'),
  });
  return { ...answer, sendTransport: only(answer.sendTransport), receiveTransport: only(answer.receiveTransport) };
}

test.beforeAll(async ({ browser }) => {
  script = await bundleMediaPage();
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  harness = new CallsHarness(sfu);
  [ada, ben] = [await Visitor.arrive(browser), await Visitor.arrive(browser)];
  callId = newCallId();
  await ada.client.request(wire.start, { callId, media: 'video', invite: [ben.client.userId] });
});

test.afterAll(async () => {
  await harness?.module.close?.();
  await sfu?.close();
});

test('picture and sound go both ways', async () => {
  await ada.join();
  const firstFrame = await ben.join();
  test.info().annotations.push({ type: 'first frame after join', description: `${firstFrame} ms` });
  await Promise.all([ada.seesMovement(), ben.seesMovement(), ada.hearsSound(), ben.hearsSound()]);
});

test('who speaks is known, and that a muted one does not', async () => {
  const speakers = () => ben.client.heard(wire.activeSpeaker).map(({ participantId }) => participantId);
  const { calls } = await ben.client.request(wire.active, {});
  const participants = calls[0]?.participants.map(({ participantId }) => participantId) ?? [];
  await expect.poll(() => participants.includes(speakers().at(-1) as wire.ParticipantId)).toBe(true);
  for (const visitor of [ada, ben]) await visitor.run((media) => media.setProducer('microphone', 'paused'), null);
  await expect.poll(() => speakers().at(-1)).toBeNull();
  for (const visitor of [ada, ben]) await visitor.run((media) => media.setProducer('microphone', 'live'), null);
  await expect.poll(() => participants.includes(speakers().at(-1) as wire.ParticipantId)).toBe(true);
});

test('the receiver chooses the layer', async () => {
  const height = async () => (await ben.received('camera'))?.frameHeight ?? 0;
  // The largest layer comes only where the machine can encode it beside everything else.
  await expect.poll(height).toBeGreaterThan(180);
  await ben.run((media) => media.setLayer(0), null);
  await expect.poll(height).toBe(180);
  await ben.run((media) => media.setLayer(2), null);
  await expect.poll(height).toBeGreaterThan(180);
});

test('a camera that is off sends nothing, and is back at once', async () => {
  await ada.run((media) => media.setProducer('camera', 'paused'), null);
  await ben.page.waitForTimeout(300);
  const still = (await ben.received('camera'))?.framesDecoded ?? 0;
  await ben.page.waitForTimeout(1000);
  expect((await ben.received('camera'))?.framesDecoded).toBeLessThanOrEqual(still + 1);
  await ada.run((media) => media.setProducer('camera', 'live'), null);
  await ben.seesMovement();
});

test('a page that is gone leaves nothing behind, and may come back', async () => {
  await ben.page.goto('about:blank');
  ben.client.disconnect();
  await expect.poll(() => sfu.dump()).toEqual({ routers: 1, transports: 2 });
  ben.client = ben.client.reconnected();
  await ben.open();
  await ben.join();
  await Promise.all([ada.seesMovement(), ben.seesMovement(), ben.hearsSound()]);
  expect(await sfu.dump()).toEqual({ routers: 1, transports: 4 });
});

test('where no UDP gets through, picture and sound come over TCP', async () => {
  ada.tcpOnly = true;
  ada.client.disconnect();
  ada.client = ada.client.reconnected();
  await ada.open();
  await ada.join();
  await Promise.all([ada.seesMovement(), ben.seesMovement(), ada.hearsSound(), ben.hearsSound()]);
  // Longer than a connection has to prove itself.
  await ada.page.waitForTimeout(LIMITS.tcpProof.value + 1_000);
  await Promise.all([ada.seesMovement(), ben.seesMovement()]);
});

test('after the media worker was killed both meet again on another', async () => {
  const before = sfu.pids;
  process.kill(before[0]!, 'SIGKILL');
  const isReconnecting = () => {
    const participants = ada.client.heard(wire.updated).at(-1)?.call.participants ?? [];
    return participants.map(({ state }) => state);
  };
  await expect.poll(isReconnecting).toEqual(['reconnecting', 'reconnecting']);
  await expect.poll(() => sfu.healthy).toBe(true);
  expect(sfu.pids).not.toEqual(before);
  for (const visitor of [ada, ben]) {
    await visitor.open();
    await visitor.join();
  }
  await Promise.all([ada.seesMovement(), ben.seesMovement(), ada.hearsSound(), ben.hearsSound()]);
});
