import type { ConsumerOptions } from '../../../protocol/calls.ts';
import type { MediaEngine, MediaSession, MediaSessionOptions } from '../engine.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import { FakeTrack } from './fake-devices.ts';

/** WebRTC's place: remembers what was asked of it. */
export class FakeEngine implements MediaEngine {
  readonly sessions: FakeSession[] = [];
  prefetched = 0;

  async prefetch(): Promise<void> {
    this.prefetched += 1;
  }
  capabilities: RtpCapabilities | null = null;

  async load(): Promise<RtpCapabilities> {
    this.capabilities = { codecs: [] };
    return this.capabilities;
  }
  open(options: MediaSessionOptions): MediaSession {
    const session = new FakeSession(options);
    this.sessions.push(session);
    return session;
  }
}

export class FakeSession implements MediaSession {
  readonly options: MediaSessionOptions;
  readonly consumed: string[] = [];
  readonly closedConsumers: string[] = [];
  /** What each producer sends now. */
  readonly sending = new Map<string, MediaStreamTrack | null>();
  readonly topLayers = new Map<string, number>();
  closed = false;

  constructor(options: MediaSessionOptions) {
    this.options = options;
  }

  async produce(source: ConsumerOptions['source'], track: MediaStreamTrack, paused: boolean, topLayer: number | null) {
    const kind = track.kind === 'audio' ? 'audio' : 'video';
    const producerId = await this.options.signalling.produce({
      source,
      kind,
      rtpParameters: { codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }] },
      paused,
    });
    this.sending.set(producerId, track);
    if (topLayer !== null) this.topLayers.set(producerId, topLayer);
    return {
      producerId,
      replaceTrack: async (next: MediaStreamTrack | null) => void this.sending.set(producerId, next),
      limitLayer: async (top: number) => void this.topLayers.set(producerId, top),
      close: () => void this.sending.delete(producerId),
    };
  }

  async consume({ consumerId, kind }: ConsumerOptions): Promise<MediaStreamTrack> {
    this.consumed.push(consumerId);
    return new FakeTrack(kind).asTrack;
  }

  closeConsumer(consumerId: string): void {
    this.closedConsumers.push(consumerId);
  }
  async stats(): Promise<null> {
    return null;
  }
  close(): void {
    this.closed = true;
  }
}
