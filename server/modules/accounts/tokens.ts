import { createHash, randomBytes } from 'node:crypto';

/** 32 random bytes, base64url: a session or an invitation. Whoever holds it is let in, so it is shown once and kept nowhere. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a token: SHA-256, hex. The token is uniformly random, so nothing slower is needed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
