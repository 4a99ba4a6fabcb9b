import type { types } from 'mediasoup';

/**
 * What every room speaks. Opus: mono speech with in-band FEC and DTX (RFC 7587 section 6.1). VP8 for its simulcast;
 * mediasoup adds rtx (RFC 4588) by itself.
 */
export const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    clockRate: 48_000,
    // RFC 7587 section 7: the rtpmap always says 2 channels, whatever is sent.
    channels: 2,
    parameters: { useinbandfec: 1, usedtx: 1, stereo: 0, 'sprop-stereo': 0, minptime: 10 },
  },
  {
    kind: 'video',
    mimeType: 'video/VP8',
    clockRate: 90_000,
    // Sent to clients as a hint of where to start, in kbit/s, so that the first frames need not wait for the estimate.
    parameters: { 'x-google-start-bitrate': 1000 },
  },
];

/** Bits per second. Three simulcast layers, a shared screen and audio from one participant fit. */
export const MAX_INCOMING_BITRATE = 8_000_000;

/**
 * Bits per second the estimate towards a participant begins with. Below the default the first frames come in the
 * smallest layer; far above, a slow line loses them.
 */
export const INITIAL_OUTGOING_BITRATE = 1_000_000;
