import type { CallerSession } from './method.ts';

/**
 * With whom a session is counted: with the account's devices, or, where it has no device, with all such sessions of the
 * account together. A password alone opens those, and must not use up what the owner's devices need.
 */
export function allowanceOf({ userId, deviceId }: CallerSession): string {
  return deviceId === null ? `${userId} without a device` : userId;
}
