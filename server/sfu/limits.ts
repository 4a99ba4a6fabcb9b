import type { Limits } from '../../protocol/limit.ts';

export const LIMITS = {
  workerWait: {
    value: 2_000,
    unit: 'milliseconds',
    reason: 'Joins of one call wait in a row for a media worker, and somebody who wants to leave waits behind them.',
  },
  workerStable: {
    value: 5_000,
    unit: 'milliseconds a worker has run',
    reason: 'A worker that dies sooner dies of something that is still there, so the next one is not started at once.',
  },
  workerRetryFirst: {
    value: 250,
    unit: 'milliseconds',
    reason: 'A worker that dies as soon as it is started would otherwise keep a core busy with new processes.',
  },
  workerRetryLast: {
    value: 5_000,
    unit: 'milliseconds',
    reason: 'Calls wait for the media server to come back, and one attempt in five seconds costs next to nothing.',
  },
  keyFrameEvery: {
    value: 1_000,
    unit: 'milliseconds between key frames asked of one layer of a picture',
    reason:
      'Whoever receives may ask, and each costs the sender’s encoder and everybody’s line; a picture that broke waits this long at most.',
  },
  trafficEvery: {
    value: 1_000,
    unit: 'milliseconds between two looks at what a participant sends',
    reason: 'The media worker is asked for the counts of each; whoever floods it does so for that long.',
  },
  receivedPerSecond: {
    value: 2_000_000,
    unit: 'bytes from one participant in a second, on either line',
    reason:
      'Twice what a sender is told to keep to (codecs.ts), who may not care; each other participant receives it. Three layers of a camera, two of a screen of any size, and sound are 5.8 Mbit/s: 0.73 MB.',
  },
  answerShare: {
    value: 4,
    unit: 'bytes of feedback that a receiver may send besides, for each byte sent to it',
    reason:
      'A browser answers a packet of 60 bytes with up to 250 that name what is missing before it, if the sender makes it so; whoever receives must not be put out for that.',
  },
  receivedBurst: {
    value: 6_000_000,
    unit: 'bytes from one participant at once',
    reason: 'A line that stalled delivers seconds at once.',
  },
  packetsPerSecond: {
    value: 4_000,
    unit: 'packets of sound and picture from one participant in a second',
    reason: 'A camera, a screen and sound at the highest rate are 1,200; each costs time, however short it is.',
  },
  packetsBurst: {
    value: 12_000,
    unit: 'packets from one participant at once',
    reason: 'A line that stalled delivers seconds at once.',
  },
  acceptedUncounted: {
    value: 50_000,
    unit: 'bytes from one participant in a second',
    reason: 'Below this there are fewer than 4,000 packets, so sound alone is not counted packet by packet.',
  },
  strayPerSecond: {
    value: 256_000,
    unit: 'bytes from one sender in a second that are no sound or picture',
    reason: 'Reports of a sender are a tenth of it; what belongs to no producer is only work.',
  },
  strayBurst: {
    value: 10_000_000,
    unit: 'bytes that are no sound or picture, at once',
    reason:
      'A browser sends a source before the server knows of it; on a line that hangs that takes until it is given up, ten seconds at the most a sender may send.',
  },
  strayUnlisted: {
    value: 256_000,
    unit: 'bytes that are no sound or picture, before the sources of a participant are counted',
    reason: 'Listing them costs the media worker time, so it is not done for nothing.',
  },
  sources: {
    value: 256,
    unit: 'SSRCs that one participant has sent',
    reason: 'The media worker remembers each for as long as its producer lives; four sources in three layers have 24.',
  },
  resentShare: {
    value: 1,
    unit: 'bytes sent again to one participant for each byte sent',
    reason:
      'What a line that loses half asks for (a half, a quarter of it again, and so on); a receiver may ask for the same packets without end.',
  },
  resentBurst: {
    value: 8_000_000,
    unit: 'bytes sent again to one participant beyond that share, at once',
    reason: 'A line that stalled asks for seconds at once.',
  },
  pictureHoldFirst: {
    value: 5_000,
    unit: 'milliseconds without pictures for a participant beyond both',
    reason: 'A line so bad shows no pictures anyway, and the sound comes through again; nobody is put out for it.',
  },
  pictureHoldLast: {
    value: 60_000,
    unit: 'milliseconds without pictures, if each time before it helped for a moment only',
    reason: 'What is sent again in the second before it is noticed is then a sixtieth; a line may be better by then.',
  },
  tcpProof: {
    value: 5_000,
    unit: 'milliseconds',
    reason:
      'A connection to the media port has this long to show that it belongs to a call; that takes one round trip.',
  },
  tcpIdle: {
    value: 30_000,
    unit: 'milliseconds without a byte from the client',
    reason: 'ICE asks for consent every few seconds and gives up after 30 s (RFC 7675), so nobody is there any more.',
  },
  tcpUnproven: {
    value: 256,
    unit: 'connections for each media port',
    reason: 'The oldest of the address that holds most gives way to a new one, so that a crowd pushes out its own.',
  },
  tcpUnprovenPerAddress: {
    value: 32,
    unit: 'connections for each address (IPv6: network of 64 bits)',
    reason:
      'An office may share one address, but each of its connections is unproven for one round trip only; the oldest gives way.',
  },
  tcpProven: {
    value: 1_000,
    unit: 'connections for each media port',
    reason: 'A media worker that runs out of file descriptors ends, and its calls with it.',
  },
  tcpProvenPerAddress: {
    value: 400,
    unit: 'connections for each address (IPv6: network of 64 bits)',
    reason:
      'A participant of a call needs two, so this serves an office of 200 behind one address, and one client not all.',
  },
  bindingRequest: {
    value: 1_024,
    unit: 'bytes of the first packet on the media port’s TCP',
    reason: 'A Binding request for ICE has some 100; the longest user name has 513 (RFC 8489 section 14.3).',
  },
} as const satisfies Limits;
