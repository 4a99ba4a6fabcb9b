import type { Limits } from '../../protocol/limit.ts';

/** What the HTTP side gives to anybody, and for how long. */
export const LIMITS = {
  plainSockets: {
    value: 8000,
    unit: 'TCP connections that are no WebSocket (yet)',
    reason:
      'Each costs a file descriptor and a parser; beyond this, of the address that has most, the one that was quiet longest is closed.',
  },
  plainSocketsPerAddress: {
    value: 6500,
    unit: 'TCP connections of one address that are no WebSocket (yet), unless the address is a trusted proxy',
    reason: 'A browser opens six, and a thousand people behind one address may open the app at once.',
  },
  backlog: {
    value: 4096,
    unit: 'TCP connections that wait to be taken; the system may set less',
    reason: 'Where hundreds come in one moment, a shorter row resets some that the system had greeted already.',
  },
  requestsOfAddressAtOnce: {
    value: 60_000,
    unit: 'requests of one address at once',
    reason: 'A first visit asks for some 40 files, and a thousand people behind one address may come at once.',
  },
  requestsPerAddressAndSecond: {
    value: 500,
    unit: 'requests of one address in a second, in the long run',
    reason: 'A few percent of what the server can answer; a thousand people who have the files ask for less.',
  },
  longestWaitMs: {
    value: 2000,
    unit: 'milliseconds that a used-up number of requests refuses at most',
    reason: 'People who share an address with somebody who floods come in again soon after.',
  },
  addresses: {
    value: 20_000,
    unit: 'addresses whose requests are remembered',
    reason: 'What is remembered of strangers is bounded; who was quiet longest is forgotten.',
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
