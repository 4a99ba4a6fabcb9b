import { z } from 'zod';
import { IdempotencyId } from './ids.ts';

/**
 * How a repeated request behaves:
 * - `query` reads;
 * - `keyed` carries an idempotency id, and the server answers a repeat with the first answer;
 * - `natural` changes something, but doing it again changes nothing more (an acknowledgement, "set to this").
 */
export type Effect = 'query' | 'keyed' | 'natural';

export interface Method<
  Name extends string = string,
  Params extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly name: Name;
  readonly effect: Effect;
  readonly params: Params;
  readonly result: Result;
}

export type ParamsOf<M extends Method> = z.infer<M['params']>;
export type ResultOf<M extends Method> = z.infer<M['result']>;

export interface EventType<Name extends string = string, Params extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly params: Params;
}
export type EventParamsOf<E extends EventType> = z.infer<E['params']>;

/** A method that only reads. */
export function query<N extends string, P extends z.core.$ZodLooseShape, R extends z.ZodType>(
  name: N,
  params: P,
  result: R,
) {
  return { name, effect: 'query', params: z.strictObject(params), result } as const satisfies Method;
}

/** A method whose repetition is recognised by its client-made `idempotencyId`. */
export function mutation<N extends string, P extends z.core.$ZodLooseShape, R extends z.ZodType>(
  name: N,
  params: P,
  result: R,
) {
  const keyed = z.strictObject({ ...params, idempotencyId: IdempotencyId });
  return { name, effect: 'keyed', params: keyed, result } as const satisfies Method;
}

/** A method that sets a state, so that its repetition is harmless by itself. */
export function setter<N extends string, P extends z.core.$ZodLooseShape, R extends z.ZodType>(
  name: N,
  params: P,
  result: R,
) {
  return { name, effect: 'natural', params: z.strictObject(params), result } as const satisfies Method;
}

export function event<N extends string, P extends z.core.$ZodLooseShape>(name: N, params: P) {
  return { name, params: z.strictObject(params) } as const satisfies EventType;
}

/** The result of a method that has nothing to say. */
export const Nothing = z.strictObject({});
