import type { z } from 'zod';
import type { ConsumerOptions, join, Source, TransportOptions } from '../../protocol/calls.ts';
import type { DtlsParameters, IceParameters, RtpCapabilities, RtpParameters } from '../../protocol/media.ts';

type JoinAnswer = z.infer<(typeof join)['result']>;

/** The requests that media needs, already bound to one call. Each rejects when the server cannot be asked. */
export interface MediaSignalling {
  connectTransport(transportId: string, dtlsParameters: DtlsParameters): Promise<void>;
  /** Returns the server's new ICE parameters. */
  restartIce(transportId: string): Promise<IceParameters>;
  /** Returns the producer's id. */
  produce(input: {
    readonly source: Source;
    readonly kind: 'audio' | 'video';
    readonly rtpParameters: RtpParameters;
    readonly paused: boolean;
  }): Promise<string>;
}

export interface MediaSessionOptions {
  readonly transports: Pick<JoinAnswer, 'sendTransport' | 'receiveTransport'>;
  readonly signalling: MediaSignalling;
  /** One of the transports is connected. May be called more than once. */
  readonly onFlowing: () => void;
  /** The media cannot flow any more and an ICE restart did not help: join again. */
  readonly onLost: () => void;
}

/** What calls need of WebRTC. `mediasoup-engine.ts` answers in a browser; tests pass their own. */
export interface MediaEngine {
  /** Fetches the code and the server's capabilities, for when there is nothing better to do. Never rejects. */
  prefetch(): Promise<void>;
  /** Makes everything ready for a call; returns what this browser can receive, for `calls.join`. */
  load(): Promise<RtpCapabilities>;
  /** What `load` returned, once it has: so that a join can go out within the very click. */
  readonly capabilities: RtpCapabilities | null;
  open(options: MediaSessionOptions): MediaSession;
}

/** The two transports of one join. */
export interface MediaSession {
  /**
   * Begins to send a track. The track stays its owner's to stop. `topLayer`: as `limitLayer`, from the first packet on;
   * null for all layers.
   */
  produce(source: Source, track: MediaStreamTrack, paused: boolean, topLayer: number | null): Promise<SentSource>;
  /** Sets a consumer up, still paused on the server. */
  consume(options: ConsumerOptions): Promise<MediaStreamTrack>;
  closeConsumer(consumerId: string): void;
  /** For tests and the quality display. */
  stats(): Promise<RTCStatsReport | null>;
  close(): void;
}

export interface SentSource {
  readonly producerId: string;
  /** Sends another track in the place of the present one, or nothing. */
  replaceTrack(track: MediaStreamTrack | null): Promise<void>;
  /** Sends no simulcast layer above this one (0 is the smallest). */
  limitLayer(top: number): Promise<void>;
  close(): void;
}

export type { TransportOptions };
