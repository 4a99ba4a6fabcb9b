/**
 * A UUID of version 7 (RFC 9562 section 5.7): milliseconds first, then random bits. What a client names so, the server
 * finds beside what was named shortly before, instead of somewhere in an index of everything; any other UUID works too.
 *
 * `random`: 10 random bytes, of which 74 bits are used.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (random.length !== 10) throw new RangeError('a UUID of version 7 takes 10 random bytes');
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(nowMs) << 16n);
  bytes.set(random, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
