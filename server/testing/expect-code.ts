import { expect } from 'vitest';
import { ProtocolError, type ErrorCode } from '../../protocol/errors.ts';

/** Expects a refusal with this code, and returns it. */
export async function refusal<C extends ErrorCode>(code: C, request: Promise<unknown>): Promise<ProtocolError<C>> {
  const error: unknown = await request.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, `expected the refusal ${code}`).toBeInstanceOf(ProtocolError);
  expect((error as ProtocolError).code).toBe(code);
  return error as ProtocolError<C>;
}
