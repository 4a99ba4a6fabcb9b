import { randomBytes, randomInt } from 'node:crypto';

const KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** A WebSocket upgrade of `path`. */
function upgrade(port: number, path: string, extra = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${KEY}${extra}\r\n`;
}

/** One WebSocket frame as its bytes (RFC 6455 section 5.2); masked with zeros unless `mask` is false. */
function frame(first: number, payload: Buffer, { mask = true, length = payload.length } = {}): Buffer {
  const bit = mask ? 0x80 : 0;
  const head =
    length < 126
      ? Buffer.of(first, bit | length)
      : length < 65_536
        ? Buffer.of(first, bit | 126, length >> 8, length & 255)
        : Buffer.concat([Buffer.of(first, bit | 127, 0, 0, 0, 0), uint32(length)]);
  return Buffer.concat([head, mask ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const TEXT = 0x81;
const HELLO = '{"id":1,"method":"hello","params":{"protocol":{"min":1,"max":1},"client":"x"}}';

/** Each makes one conversation's bytes, in the pieces in which they are written. */
const CONVERSATIONS: readonly ((port: number) => readonly (string | Buffer)[])[] = [
  () => [],
  () => [randomBytes(randomInt(1, 2000))],
  // A TLS client that took the port for an https one.
  () => [Buffer.from('16030100ca010000c60303', 'hex'), randomBytes(200)],
  (port) => [upgrade(port, '/nope')],
  (port) => [upgrade(port, '/ws', 'Origin: https://evil.example\r\n')],
  (port) => [upgrade(port, '/ws').slice(0, randomInt(1, 150))],
  (port) => [upgrade(port, '/ws').replace('13', '99')],
  (port) => [upgrade(port, '/ws').replace('websocket', 'h2c')],
  (port) => [upgrade(port, '/ws')],
  (port) => [upgrade(port, '/ws'), frame(TEXT, Buffer.from(HELLO))],
  (port) => [upgrade(port, '/ws') + upgrade(port, '/ws')],
  (port) => [upgrade(port, '/ws'), frame(TEXT, Buffer.from(HELLO), { mask: false })],
  (port) => [upgrade(port, '/ws'), frame(0xf1, Buffer.from('x'))],
  (port) => [upgrade(port, '/ws'), frame(TEXT, Buffer.of(0xff, 0xfe, 0xc0))],
  (port) => [upgrade(port, '/ws'), frame(TEXT, Buffer.from('x'), { length: 0x7fffffff })],
  (port) => [upgrade(port, '/ws'), frame(0x89, Buffer.alloc(200))],
  (port) => [upgrade(port, '/ws'), frame(0x88, Buffer.of(0, 1))],
  (port) => [upgrade(port, '/ws'), frame(0x88, Buffer.of(0x03, 0xe8)), frame(TEXT, Buffer.from(HELLO))],
  (port) => [upgrade(port, '/ws'), ...Array.from({ length: 50 }, () => frame(0x89, Buffer.alloc(100)))],
  (port) => [upgrade(port, '/ws'), frame(0x01, Buffer.from('{')), ...Array(40).fill(frame(0x00, Buffer.alloc(1)))],
  (port) => [upgrade(port, '/ws'), ...Array(60).fill(frame(TEXT, Buffer.from('nonsense')))],
  (port) => [upgrade(port, '/ws'), frame(0x82, randomBytes(500))],
  (port) => [upgrade(port, '/ws'), frame(TEXT, Buffer.from('['.repeat(60_000)))],
  (port) => [`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  (port) => [`POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 60000\r\n\r\nhalf`],
  (port) => [`POST / HTTP/1.1\r\nHost: x:${port}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
  () => ['GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nHost: x\r\n\r\n'],
  () => ['GET /\r\n'],
  () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  (port) => [`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(40)],
  (port) => [`CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`],
  (port) => [`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nExpect: 100-continue\r\n\r\n`],
  (port) => [`GET http://evil.example/%ff%00 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`],
];

/** The bytes of a conversation that is no polite one. */
export function strangeBytes(port: number): readonly (string | Buffer)[] {
  const make = CONVERSATIONS[randomInt(CONVERSATIONS.length)];
  return make?.(port) ?? [];
}
