import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sendSettings, topCameraLayer } from './encodings.ts';
import { chooseLayers } from './layers.ts';

const spatial = (width: number, height: number) => chooseLayers('camera', { width, height }).spatialLayer;

test('a tile gets the smallest layer that fills it', () => {
  expect(spatial(160, 90)).toBe(0);
  expect(spatial(320, 180)).toBe(0);
  expect(spatial(500, 281)).toBe(1);
  expect(spatial(640, 360)).toBe(1);
  expect(spatial(960, 540)).toBe(2);
  expect(spatial(1280, 720)).toBe(2);
  expect(spatial(3840, 2160)).toBe(2);
});

test('a wide, low tile needs the lines that filling its width takes', () => {
  expect(spatial(1200, 200)).toBe(2);
});

test('a larger tile never gets a smaller layer', () => {
  const size = fc.integer({ min: 1, max: 4000 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 0, max: 500 }), (width, height, more) => {
      expect(spatial(width + more, height + more)).toBeGreaterThanOrEqual(spatial(width, height));
    }),
  );
});

test('a shared screen comes in full unless it is a thumbnail', () => {
  expect(chooseLayers('screen', { width: 1000, height: 600 }).spatialLayer).toBe(1);
  expect(chooseLayers('screen', { width: 240, height: 135 }).spatialLayer).toBe(0);
});

test('thumbnails come at half the frames', () => {
  expect(chooseLayers('camera', { width: 100, height: 60 }).temporalLayer).toBe(1);
  expect(chooseLayers('camera', { width: 640, height: 360 }).temporalLayer).toBe(2);
});

test('the camera is sent in three layers, each twice the one before; speech with DTX and FEC', () => {
  expect(sendSettings('camera', null).encodings?.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)).toEqual([
    4, 2, 1,
  ]);
  expect(sendSettings('microphone', null).codecOptions).toMatchObject({ opusDtx: true, opusFec: true });
});

test('settings are fresh each time, since the sender writes into them', () => {
  expect(sendSettings('camera', null).encodings?.[0]).not.toBe(sendSettings('camera', null).encodings?.[0]);
});

test('while it rings, nobody watches: the smallest is enough', () => {
  expect(topCameraLayer({ cores: 12, participants: 1 })).toBe(0);
});

test('a small machine does not encode the full size for a group', () => {
  expect(topCameraLayer({ cores: 2, participants: 2 })).toBe(2);
  expect(topCameraLayer({ cores: 2, participants: 3 })).toBe(1);
  expect(topCameraLayer({ cores: 12, participants: 8 })).toBe(2);
});

test('layers above the limit do not begin at all', () => {
  const active = (top: number | null) => sendSettings('camera', top).encodings?.map((layer) => layer.active);
  expect(active(null)).toEqual([true, true, true]);
  expect(active(1)).toEqual([true, true, false]);
  expect(active(0)).toEqual([true, false, false]);
});
