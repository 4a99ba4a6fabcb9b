import type * as mediasoup from 'mediasoup-client/types';
import type { Consumer, Device, Transport } from 'mediasoup-client/types';
import type { ConsumerOptions, Source, TransportOptions } from '../../protocol/calls.ts';
import { DtlsParameters, RtpCapabilities, RtpParameters } from '../../protocol/media.ts';
import { sendSettings } from './encodings.ts';
import type { MediaEngine, MediaSession, MediaSessionOptions, SentSource } from './engine.ts';
import { keepAlive } from './transport-recovery.ts';

/**
 * The engine on mediasoup-client, which is its own chunk and arrives with the first prefetch or call.
 * @param fetchCapabilities asks the server for `calls.capabilities`
 */
export function createMediasoupEngine(fetchCapabilities: () => Promise<RtpCapabilities>): MediaEngine {
  const parts = retrying(() => Promise.all([import('mediasoup-client'), fetchCapabilities()]));
  const device = retrying(async () => {
    const [{ Device }, routerRtpCapabilities] = await parts.get();
    const loaded = await Device.factory();
    await loaded.load({ routerRtpCapabilities: routerRtpCapabilities as mediasoup.RtpCapabilities });
    return loaded;
  });
  let ready: Device | null = null;
  let capabilities: RtpCapabilities | null = null;

  return {
    async prefetch() {
      await parts.get().catch(() => {});
    },
    async load() {
      ready = await device.get();
      capabilities ??= RtpCapabilities.parse(ready.recvRtpCapabilities);
      return capabilities;
    },
    get capabilities() {
      return capabilities;
    },
    open(options) {
      if (ready === null) throw new Error('the media engine is opened before it was loaded');
      return openSession(ready, options);
    },
  };
}

function openSession(device: Device, { transports, signalling, onFlowing, onLost }: MediaSessionOptions): MediaSession {
  const send = device.createSendTransport(transportOptions(transports.sendTransport));
  const receive = device.createRecvTransport(transportOptions(transports.receiveTransport));
  const consumers = new Map<string, Consumer>();
  const stopKeeping = [send, receive].map((transport) => {
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      const asked = async () => signalling.connectTransport(transport.id, DtlsParameters.parse(dtlsParameters));
      void reply(asked(), done, failed);
    });
    const restartIce = async () => {
      const iceParameters = await signalling.restartIce(transport.id);
      await transport.restartIce({ iceParameters: iceParameters as mediasoup.IceParameters });
    };
    return keepAlive({ onState: (listener) => listen(transport, listener), restartIce, onFlowing, onLost });
  });
  send.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
    const { source, paused } = appData as unknown as SentAppData;
    const asked = async () =>
      signalling.produce({ source, kind, rtpParameters: RtpParameters.parse(rtpParameters), paused });
    void reply(asked(), (id) => done({ id }), failed);
  });

  return {
    produce: (source, track, paused, topLayer) => produce(send, { source, track, paused, topLayer }),
    async consume(options) {
      const consumer = await receive.consume(consumerOptions(options));
      consumers.set(consumer.id, consumer);
      return consumer.track;
    },
    closeConsumer(consumerId) {
      consumers.get(consumerId)?.close();
      consumers.delete(consumerId);
    },
    async stats() {
      return receive.closed ? null : receive.getStats();
    },
    close() {
      for (const stop of stopKeeping) stop();
      consumers.clear();
      send.close();
      receive.close();
    },
  };
}

interface SentAppData {
  readonly source: Source;
  readonly paused: boolean;
}

interface ProduceOptions extends SentAppData {
  readonly track: MediaStreamTrack;
  readonly topLayer: number | null;
}

async function produce(transport: Transport, { source, track, paused, topLayer }: ProduceOptions): Promise<SentSource> {
  const appData: SentAppData = { source, paused };
  const producer = await transport.produce({
    track,
    ...sendSettings(source, topLayer),
    // Tracks belong to LocalMedia, which stops and disables them.
    stopTracks: false,
    disableTrackOnPause: false,
    appData: { ...appData },
  });
  return {
    producerId: producer.id,
    replaceTrack: (next) => producer.replaceTrack({ track: next }),
    limitLayer: (top) => producer.setMaxSpatialLayer(top),
    close: () => producer.close(),
  };
}

function consumerOptions({ consumerId, producerId, kind, rtpParameters, participantId, source }: ConsumerOptions) {
  return {
    id: consumerId,
    producerId,
    kind,
    rtpParameters: rtpParameters as mediasoup.RtpParameters,
    // Tracks of one stream are kept in step by the browser: voice with face, screen with its sound.
    streamId: `${participantId}-${source === 'screen' || source === 'screen-audio' ? 'screen' : 'person'}`,
  };
}

function transportOptions({ id, iceParameters, iceCandidates, dtlsParameters }: TransportOptions) {
  return {
    id,
    iceParameters: iceParameters as mediasoup.IceParameters,
    iceCandidates: iceCandidates as mediasoup.IceCandidate[],
    dtlsParameters: dtlsParameters as mediasoup.DtlsParameters,
  };
}

/** Answers mediasoup-client's callbacks with the outcome of a request. */
async function reply<T>(request: Promise<T>, done: (value: T) => void, failed: (error: Error) => void): Promise<void> {
  try {
    done(await request);
  } catch (error) {
    failed(error instanceof Error ? error : new Error('the request failed'));
  }
}

function listen(transport: Transport, listener: (state: RTCPeerConnectionState) => void): () => void {
  transport.on('connectionstatechange', listener);
  return () => transport.off('connectionstatechange', listener);
}

/** Remembers a success; a failure is tried anew the next time. */
function retrying<T>(work: () => Promise<T>): { get(): Promise<T> } {
  let pending: Promise<T> | null = null;
  return {
    get() {
      pending ??= work().catch((error: unknown) => {
        pending = null;
        throw error;
      });
      return pending;
    },
  };
}
