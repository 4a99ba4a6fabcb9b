import { z } from 'zod';
import { Ed25519PublicKey, SignalPublicKey } from './devices.ts';
import { DeviceId, UserId } from './ids.ts';

/** Pins in one part of a hand-over: as many of the longest as fit into one message. */
export const PINS_PER_PART = 120;
/** Most parts of a hand-over; 61,440 people. */
export const MAX_PARTS = 512;

/** What a device has pinned of one person. */
export const HandedPin = z.object({
  userId: UserId,
  /** Null if only the name is known. */
  accountKey: Ed25519PublicKey.nullable(),
  /** The newest version of the person's device list that was seen; 0 for none. */
  listVersion: z.int().min(0).max(0x7fffffff),
  /** Null if no name is known. `version` 0: a name that the person has not signed. */
  name: z
    .object({
      version: z.int().min(0).max(0x7fffffff),
      username: z.string().max(32),
      displayName: z.string().max(64),
    })
    .nullable(),
});
export type HandedPin = z.infer<typeof HandedPin>;

/**
 * Message content, from a device to another one of the same account that it has just put on the device list: everything
 * it has pinned, so that the new device need not believe the server in this. It goes the way of every message.
 */
export const handOverContent = z.object({
  kind: z.literal('hand-over'),
  /** For which device it is; others that get a copy ignore it. */
  deviceId: DeviceId,
  identityKey: SignalPublicKey,
  /** Names this hand-over, whose parts may come in any order. */
  handOverId: z.uuid(),
  part: z
    .int()
    .min(0)
    .max(MAX_PARTS - 1),
  parts: z.int().min(1).max(MAX_PARTS),
  pins: z.array(HandedPin).max(PINS_PER_PART),
});
export type HandOverContent = z.infer<typeof handOverContent>;
