import { z } from 'zod';
import { Account, SessionToken } from './accounts.ts';
import { base64Bytes, DeviceId, Timestamp, Uuid } from './ids.ts';
import { event, query } from './method.ts';
import { oneLine } from './text.ts';

/**
 * The first request on every connection; anything before it is refused with `hello_required`.
 * Errors: `protocol_unsupported` (with the server's range), `session_invalid` (say hello again without it).
 */
export const hello = query(
  'hello',
  {
    protocol: z.strictObject({ min: z.int().min(1).max(1000), max: z.int().min(1).max(1000) }),
    /** Shown to the user in the list of sessions, for example "Teahouse 0.1.0 on Linux". */
    client: oneLine(1, 120),
    session: SessionToken.optional(),
    /** The stream and the last `seq` this client has handled. */
    resume: z.strictObject({ stream: Uuid, seq: z.int().min(0) }).optional(),
  },
  z.strictObject({
    protocol: z.int(),
    server: z.strictObject({ version: z.string(), organisation: z.string(), time: Timestamp }),
    /** Random, fresh for this connection; what a device signs when it signs in here. */
    challenge: base64Bytes(32),
    account: Account.nullable(),
    deviceId: DeviceId.nullable(),
    stream: Uuid,
    /** The last `seq` of the stream so far. Events after `resume.seq` follow this answer if `resumed`. */
    seq: z.int().min(0),
    /** False: events were missed (or there was nothing to resume): ask again for whatever is shown. */
    resumed: z.boolean(),
  }),
);

/** Something could not be told on this stream: ask again for whatever is shown. The connection goes on. */
export const resynchronise = event('stream.resynchronise', {});
