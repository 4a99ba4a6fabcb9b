import { expect, test } from 'vitest';
import { fromWire, ProtocolError, toWire, WireError } from './errors.ts';

test('an error survives the wire with its code and details', () => {
  const stale = new ProtocolError('devices_stale', 'the device list is old', { missing: [], gone: [] });
  const back = fromWire(WireError.parse(JSON.parse(JSON.stringify(toWire(stale)))));
  expect(back).toBeInstanceOf(ProtocolError);
  expect(ProtocolError.is(back, 'devices_stale') && back.details).toEqual({ missing: [], gone: [] });
});

test('a code without details has none on the wire', () => {
  expect(toWire(new ProtocolError('forbidden', 'not yours'))).toEqual({ code: 'forbidden', message: 'not yours' });
});

test('a code of a newer server is read as a failure', () => {
  expect(WireError.parse({ code: 'made_up', message: '' }).code).toBe('internal');
});

test('details are those of their code, or the error is none that a program could act on', () => {
  const rebuilt = (code: string, details: unknown) => fromWire(WireError.parse({ code, message: '', details }));
  expect(rebuilt('rate_limited', { retryAfterMs: 5, more: 1 }).details).toEqual({ retryAfterMs: 5 });
  for (const retryAfterMs of [-1, 0.5, 1e300, '5', null, undefined])
    expect(rebuilt('rate_limited', { retryAfterMs }).code).toBe('internal');
  expect(rebuilt('devices_stale', { missing: [{ userId: 1 }], gone: [] }).code).toBe('internal');
  expect(rebuilt('forbidden', { anything: 'at all' }).details).toBeUndefined();
});
