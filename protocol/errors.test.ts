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

test('a code that is not in the union is refused', () => {
  expect(WireError.safeParse({ code: 'made_up', message: '' }).success).toBe(false);
});
