import { z } from 'zod';
import { Ed25519PublicKey, Signature } from './devices.ts';
import { Timestamp, UserId } from './ids.ts';

/** Signed profiles and device lists count their versions up to here, so that there is always a next one to sign. */
const MAX_VERSION = 0x7fffffff;

/** Longest payload of a signed profile, in UTF-16 code units. */
const MAX_PROFILE_PAYLOAD = 700;
/** The same as JSON text in UTF-8, in bytes: so that 200 people fit into a frame. Longer ones are not published. */
export const MAX_PROFILE_BYTES = 700;

/**
 * What the account key signs of a person: who they are to others. Names are checked more loosely than at sign-up, so that
 * a profile stays readable when the rules for new names change; what cannot be shown safely is refused all the same.
 */
export const Profile = z.object({
  userId: UserId,
  username: z
    .string()
    .min(2)
    .max(32)
    .regex(/^[a-z0-9._-]+$/),
  displayName: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u),
  /** From 1; each new profile has a higher one. */
  version: z.int().min(1).max(MAX_VERSION),
  issuedAt: Timestamp,
});
export type Profile = z.infer<typeof Profile>;

/** The signature covers `profileText(payload)` as UTF-8: the very text, so that no canonical form is needed. */
export const SignedProfile = z.strictObject({
  accountKey: Ed25519PublicKey,
  /** JSON text of a Profile. */
  payload: z.string().max(MAX_PROFILE_PAYLOAD),
  signature: Signature,
});
export type SignedProfile = z.infer<typeof SignedProfile>;

/** What is signed: the payload under a name of its own, so that a signature made for one purpose serves no other. */
export function profileText(payload: string): string {
  return `teahouse/profile/v1\n${payload}`;
}
