/**
 * The smallest client of calls: runs in a page, joins, sends the fake microphone and camera, receives everything, and
 * tells what it sees. It talks through two functions that the test puts into the page.
 */
import { Device } from 'mediasoup-client';
import type { Consumer, Producer, Transport } from 'mediasoup-client/types';

type Json = Record<string, unknown>;

interface ConsumerOptions {
  readonly consumerId: string;
  readonly producerId: string;
  readonly participantId: string;
  readonly source: string;
  readonly kind: 'audio' | 'video';
  readonly rtpParameters: never;
}

interface Joined {
  readonly participantId: string;
  readonly sendTransport: never;
  readonly receiveTransport: never;
  readonly consumers: ConsumerOptions[];
}

declare const callServer: (method: string, params: Json) => Promise<never>;

const producers = new Map<string, Producer>();
const consumers = new Map<string, { consumer: Consumer; options: ConsumerOptions; video: HTMLVideoElement | null }>();
let receive: Transport | null = null;
let call = '';

function connect(transport: Transport): Transport {
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    const params = { callId: call, transportId: transport.id, dtlsParameters };
    void answer(async () => void (await callServer('calls.connectTransport', params)), done, failed);
  });
  return transport;
}

/** mediasoup-client asks through callbacks. */
async function answer<T>(
  work: () => Promise<T>,
  done: (result: T) => void,
  failed: (error: Error) => void,
): Promise<void> {
  try {
    done(await work());
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves with the milliseconds from joining to the first decoded frame of somebody else's camera, if there is one. */
async function join(callId: string): Promise<number | null> {
  call = callId;
  const device = await Device.factory();
  await device.load(
    await callServer('calls.capabilities', {}).then(({ routerRtpCapabilities }) => ({ routerRtpCapabilities })),
  );
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
  const started = performance.now();
  const joined = (await callServer('calls.join', { callId, rtpCapabilities: device.recvRtpCapabilities })) as Joined;
  receive = connect(device.createRecvTransport(joined.receiveTransport));
  const firstFrames = joined.consumers.map((options) => consume(options));
  const send = connect(device.createSendTransport(joined.sendTransport));
  send.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
    const params = { callId, source: appData['source'], kind, rtpParameters, paused: false };
    const produce = async () => {
      const { producerId } = (await callServer('calls.produce', params)) as { producerId: string };
      return { id: producerId };
    };
    void answer(produce, done, failed);
  });
  const [microphone, camera] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
  if (microphone === undefined || camera === undefined) throw new Error('no fake devices');
  producers.set('microphone', await send.produce({ track: microphone, appData: { source: 'microphone' } }));
  const encodings = [4, 2, 1].map((scaleResolutionDownBy) => ({
    scaleResolutionDownBy,
    maxBitrate: 1_600_000 / scaleResolutionDownBy ** 2,
  }));
  producers.set('camera', await send.produce({ track: camera, encodings, appData: { source: 'camera' } }));
  const videos = joined.consumers.flatMap(({ kind }, index) => (kind === 'video' ? [firstFrames[index]] : []));
  if (videos.length === 0) return null;
  await Promise.race(videos);
  return performance.now() - started;
}

async function consume(options: ConsumerOptions): Promise<void> {
  if (receive === null) throw new Error('not joined');
  const { consumerId: id, producerId, kind, rtpParameters } = options;
  const consumer = await receive.consume({ id, producerId, kind, rtpParameters });
  const element = document.createElement(kind);
  element.autoplay = true;
  element.srcObject = new MediaStream([consumer.track]);
  document.body.append(element);
  const video = element instanceof HTMLVideoElement ? element : null;
  consumers.set(id, { consumer, options, video });
  const shown =
    video === null ? null : new Promise<void>((resolve) => video.requestVideoFrameCallback(() => resolve()));
  await callServer('calls.setConsumer', { callId: call, consumerId: id, paused: false });
  await shown;
}

function hear(event: string, params: { readonly consumer: ConsumerOptions; readonly consumerId: string }): void {
  if (event === 'calls.consumerAdded') void consume(params.consumer);
  if (event !== 'calls.consumerRemoved') return;
  const gone = consumers.get(params.consumerId);
  consumers.delete(params.consumerId);
  gone?.consumer.close();
  gone?.video?.remove();
}

async function setProducer(source: string, state: string): Promise<void> {
  await callServer('calls.setProducer', { callId: call, producerId: producers.get(source)?.id, state });
}

async function setLayer(spatialLayer: number): Promise<void> {
  for (const [consumerId, { options }] of consumers) {
    if (options.kind !== 'video') continue;
    const preferredLayers = { spatialLayer, temporalLayer: 2 };
    await callServer('calls.setConsumer', { callId: call, consumerId, paused: false, preferredLayers });
  }
}

export interface Received {
  readonly participantId: string;
  readonly source: string;
  readonly framesDecoded: number;
  readonly frameHeight: number;
  readonly audioEnergy: number;
}

async function received(): Promise<Received[]> {
  return await Promise.all(
    [...consumers.values()].map(async ({ consumer, options: { participantId, source } }) => {
      const reports = [...(await consumer.getStats()).values()] as Json[];
      const inbound = reports.find(({ type }) => type === 'inbound-rtp') ?? {};
      return {
        participantId,
        source,
        framesDecoded: Number(inbound['framesDecoded'] ?? 0),
        frameHeight: Number(inbound['frameHeight'] ?? 0),
        audioEnergy: Number(inbound['totalAudioEnergy'] ?? 0),
      };
    }),
  );
}

export interface MediaPage {
  join(callId: string): Promise<number | null>;
  hear(event: string, params: unknown): void;
  setProducer(source: string, state: string): Promise<void>;
  setLayer(spatialLayer: number): Promise<void>;
  received(): Promise<Received[]>;
}

Object.assign(globalThis, { mediaPage: { join, hear, setProducer, setLayer, received } });
