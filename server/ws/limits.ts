import type { Limits } from '../../protocol/limit.ts';

/**
 * What one connection, one account or one address may cost. Sessions of an account that have no device share an allowance of
 * their own (`allowanceOf`), as large as the one of its devices.
 */
export const LIMITS = {
  longestWaitMs: {
    value: 2_000,
    unit: 'milliseconds that a used-up budget refuses at most, for what is refused or cheap',
    reason: 'People who share an address with somebody who floods come in again soon after.',
  },
  workInFullMs: {
    value: 1,
    unit: 'milliseconds of the server’s time from which one piece of work counts in full',
    reason: 'Refusing takes less. With 256 requests under way, cheaper ones can use up no more than the longest wait.',
  },
  longestWorkWaitMs: {
    value: 30_000,
    unit: 'milliseconds that work which counts in full refuses at most',
    reason:
      'Six seconds of work are paid for. More is a pause of the machine, for which nobody is shut out for minutes.',
  },
  greetingBytes: {
    value: 4 * 1024,
    unit: 'bytes of a connection’s first hello that the budget of its address does not count',
    reason: 'Who comes back with a session is not to wait for somebody who floods from the same address.',
  },
  strangerRefusals: {
    value: 3,
    unit: 'frames over the budget of its address until a connection without a session is cut',
    reason: 'Whoever is told when there is room and sends on is one of those who use the budget up.',
  },
  hellosOfAccount: {
    value: 600,
    unit: 'hellos with a session for each account and minute',
    reason:
      'Counted apart from those without, and those of its devices apart from those of a password alone, so that neither uses the others up; 16 devices need few.',
  },
  controlFramesPerSecond: {
    value: 50,
    unit: 'pings and pongs from one connection in a second',
    reason: 'They cost no bytes that count, but each costs time; clients send a few in a minute.',
  },
  strangers: {
    value: 4000,
    unit: 'WebSocket connections without a session',
    reason: 'Beyond this the oldest is closed, so that whoever comes back with a session always finds a place.',
  },
  strangersPerAddress: {
    value: 500,
    unit: 'WebSocket connections without a session for each address',
    reason: 'One machine must not take all places; hundreds behind one address may sign in at once.',
  },
  slowBytes: {
    value: 2 * 1024 * 1024,
    unit: 'bytes that wait for a peer until messages are no longer sent to it as they come',
    reason: 'It is told once it has read these, and fetches the rest at its own pace; the memory stays free.',
  },
  bufferedBytes: {
    value: 8 * 1024 * 1024,
    unit: 'bytes that wait for a peer that reads slowly',
    reason: 'Beyond this the connection is cut; the client comes back and resumes.',
  },
  strangerBufferedBytes: {
    value: 512 * 1024,
    unit: 'bytes that wait for a peer without a session',
    reason: 'Nothing that is sent before sign-in is long.',
  },
  totalBufferedBytes: {
    value: 512 * 1024 * 1024,
    unit: 'bytes that wait for all peers together',
    reason: 'Many slow readers together must not fill the memory; those with most are cut first.',
  },
  strangerUnreadBytes: {
    value: 160 * 1024,
    unit: 'bytes of a frame that is not complete, without a session',
    reason: 'Thousands of strangers with half a frame each would fill the memory; signing up takes less.',
  },
  fragments: {
    value: 1024,
    unit: 'fragments of one frame',
    reason: 'Each costs some hundred bytes, however short it is.',
  },
  bufferedChunks: {
    value: 4096,
    unit: 'pieces in which one frame may arrive',
    reason: 'A frame arrives in less than 200 packets; one byte at a time, it would cost a hundred times its size.',
  },
  inFlight: {
    value: 256,
    unit: 'requests of one connection that wait for their answers',
    reason: 'Beyond them its frames are left unread, so that TCP slows the sender down.',
  },
  faults: {
    value: 50,
    unit: 'malformed frames of one connection',
    reason: 'A client that is at fault is cut off before it costs more than it ever could usefully.',
  },
  headlessFrameBytes: {
    value: 4 * 1024,
    unit: 'bytes of a frame that does not begin with its id and method',
    reason: 'What a longer frame may cost depends on its method, which is read before anything else is.',
  },
  workMsPerSecond: {
    value: 200,
    unit: 'milliseconds of the server’s time for each account (or address without a session) and second',
    reason:
      'All others wait while a frame is read, so the devices of an account may take a fifth of the time, and its sessions without a device as much.',
  },
  workBurstMs: {
    value: 1000,
    unit: 'milliseconds of the server’s time at once',
    reason: 'Opening the app, or an outbox that comes back from hours offline, is a burst.',
  },
  refusalMs: {
    value: 0.1,
    unit: 'milliseconds of the server’s time that the refusal of one request too many counts as',
    reason:
      'Reading it from the socket and writing the answer is not measured; twenty thousand in a second would take nearly all of the time.',
  },
  workMsPerTurn: {
    value: 10,
    unit: 'milliseconds of the server’s time for each account (or address without a session) and turn of the event loop',
    reason:
      'A read brings some two megabytes of frames at once. What is over this waits for the next turn, after the others’.',
  },
  strangersMsPerTurn: {
    value: 20,
    unit: 'milliseconds of the server’s time for all connections without a session together and turn of the event loop',
    reason:
      'One network has thousands of addresses. Some of what a frame costs is not measured, so whoever has a session waits for a few times as much.',
  },
  bytesPerSecond: {
    value: 2 * 1024 * 1024,
    unit: 'bytes received for each account (or address without a session) and second',
    reason: 'Reading and keeping what comes costs time and memory even where it is refused.',
  },
  burstBytes: {
    value: 32 * 1024 * 1024,
    unit: 'bytes received at once',
    reason: 'An outbox that comes back from hours offline is a burst.',
  },
  budgets: {
    value: 20_000,
    unit: 'accounts and addresses whose use is remembered',
    reason: 'What is remembered of strangers is bounded; who was quiet longest is forgotten.',
  },
  pauseMs: {
    value: 1000,
    unit: 'milliseconds for which a connection over its budget is left unread',
    reason: 'Refusing costs time too; TCP then slows the sender down.',
  },
  replayAnswers: {
    value: 500,
    unit: 'answers kept for repeats on one connection',
    reason: 'A client repeats what it lost the answer of, which is at most what it had under way.',
  },
  replayCharacters: {
    value: 1024 * 1024,
    unit: 'characters of answers kept for repeats on one connection',
    reason: 'Long answers count as what they are.',
  },
  helloWait: {
    value: 10_000,
    unit: 'milliseconds from the connection to its first hello',
    reason: 'A client says it at once; whoever does not only holds a place.',
  },
  streamEvents: {
    value: 1000,
    unit: 'events kept for a device that may come back',
    reason: 'More than a short loss of the line misses; whoever missed more asks anew for what they show.',
  },
  streamBytes: {
    value: 1024 * 1024,
    unit: 'bytes of events kept for a device that may come back',
    reason: 'Memory that each device costs, connected or not.',
  },
  streamAge: {
    value: 5 * 60_000,
    unit: 'milliseconds for which events are kept for a device that may come back',
    reason: 'As long as a laptop sleeps in a corridor; after that what is shown is fetched anew.',
  },
} as const satisfies Limits;
