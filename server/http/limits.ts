import type { Limits } from '../../protocol/limit.ts';

/** What the HTTP side gives to anybody, and for how long. */
export const LIMITS = {
  plainSockets: {
    value: 4000,
    unit: 'TCP connections that are no WebSocket (yet)',
    reason: 'Each costs a file descriptor and a parser; beyond this the one that has been open longest is closed.',
  },
  plainSocketsPerAddress: {
    value: 1000,
    unit: 'TCP connections of one address that are no WebSocket (yet), unless the address is a trusted proxy',
    reason: 'One machine must not take everybody’s places; an office behind one address opens a few hundred.',
  },
  headerBytes: {
    value: 8 * 1024,
    unit: 'bytes of a request’s head',
    reason: 'No header that is read here is longer than an address or a token.',
  },
  headerMs: {
    value: 10_000,
    unit: 'milliseconds until the head of a request is there',
    reason: 'A peer that sends a byte now and then would hold a connection for nothing.',
  },
  requestMs: {
    value: 30_000,
    unit: 'milliseconds until a whole request is there',
    reason: 'A slow line sends any of the small requests in this time; whoever does not is holding a connection.',
  },
  idleMs: {
    value: 30_000,
    unit: 'milliseconds without a byte in either direction',
    reason: 'A reader that stopped reading would hold an answer in memory.',
  },
  keepAliveMs: {
    value: 10_000,
    unit: 'milliseconds between two requests on one connection',
    reason: 'Long enough for the files of one page.',
  },
  checkMs: {
    value: 2000,
    unit: 'milliseconds between looking for connections that are over their time',
    reason: 'Decides how exactly the times above are kept.',
  },
  requestsPerSocket: {
    value: 1000,
    unit: 'requests on one connection',
    reason: 'A page has some dozens of files; a new connection is checked anew.',
  },
  bodyBytes: {
    value: 1024,
    unit: 'bytes of a request’s body',
    reason: 'No HTTP route here takes a body; everything that is sent goes over the WebSocket.',
  },
} as const satisfies Limits;
