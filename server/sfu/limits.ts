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
} as const satisfies Limits;
