import type { z } from 'zod';
import { ProtocolError } from '../../protocol/errors.ts';

const MAX_ISSUES = 20;

/** `invalid_request` for what a schema refused: where and why, never the value (nor a key) that was sent. */
export function invalidRequest(error: z.ZodError): ProtocolError<'invalid_request'> {
  const issues = error.issues
    .slice(0, MAX_ISSUES)
    .map((issue) => ({ path: pathText(issue.path), problem: problemOf(issue) }));
  return new ProtocolError('invalid_request', 'The request does not have the form that its method asks for.', {
    issues,
  });
}

/** Only names that a schema could have: another one would be the sender's own text. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' || /^[A-Za-z][A-Za-z0-9]{0,31}$/.test(String(part)) ? String(part) : '*'))
    .join('.');
}

function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be of type ${issue.expected}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_format':
      return `must have the format ${issue.format}`;
    case 'invalid_value':
      return 'must be one of the known values';
    case 'unrecognized_keys':
      return 'has unknown fields';
    case 'custom':
      return issue.message;
    default:
      return 'is not valid';
  }
}
