import { fastifyHelmet } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/**
 * The page may load and run its own files only, talk to its own server only, and be framed by nobody. `connect-src
 * 'self'` covers the WebSocket of the same host (CSP level 3).
 */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  fontSrc: ["'self'"],
  imgSrc: ["'self'", 'blob:', 'data:'],
  mediaSrc: ["'self'", 'blob:'],
  connectSrc: ["'self'"],
  workerSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

/** What of the machine the page may ask for; everything else is off. */
const PERMISSIONS_POLICY = [
  'camera=(self)',
  'microphone=(self)',
  'display-capture=(self)',
  'speaker-selection=(self)',
  'fullscreen=(self)',
  'autoplay=(self)',
  'screen-wake-lock=(self)',
  'clipboard-write=(self)',
  ...[
    'geolocation',
    'usb',
    'serial',
    'hid',
    'bluetooth',
    'payment',
    'midi',
    'accelerometer',
    'gyroscope',
    'magnetometer',
  ].map((feature) => `${feature}=()`),
].join(', ');

/** Security headers on every answer. `https`: the public origin is https, so browsers shall never try another way. */
export async function securityHeaders(app: FastifyInstance, https: boolean): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    strictTransportSecurity: https ? { maxAge: 31_536_000 } : false,
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
  app.addHook('onSend', async (_, reply) => void reply.header('permissions-policy', PERMISSIONS_POLICY));
}
