/**
 * What a page of the interface may load and reach: its own files, and the one server it belongs to.
 * @param serverOrigin - `https://host[:port]` (or http on this machine); null until the app has been told.
 */
export function contentSecurityPolicy(serverOrigin: string | null): string {
  const server = serverOrigin === null ? [] : [serverOrigin, serverOrigin.replace(/^http/, 'ws')];
  const directives: Record<string, readonly string[]> = {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'font-src': ["'self'"],
    'img-src': ["'self'", 'data:', 'blob:'],
    'media-src': ["'self'", 'blob:'],
    'worker-src': ["'self'"],
    'connect-src': ["'self'", ...server],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
    'object-src': ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');
}

/** Powers of a web page that the interface never uses, taken from it whatever its code says. */
const REFUSED_FEATURES = ['geolocation', 'midi', 'hid', 'serial', 'usb', 'payment', 'gyroscope', 'accelerometer'];
const USED_FEATURES = ['camera', 'microphone', 'display-capture', 'fullscreen', 'clipboard-write', 'screen-wake-lock'];

/** The headers of every answer of the `app` scheme. */
export function securityHeaders(serverOrigin: string | null): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(serverOrigin),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': [
      ...USED_FEATURES.map((feature) => `${feature}=(self)`),
      ...REFUSED_FEATURES.map((feature) => `${feature}=()`),
    ].join(', '),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}
