import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Attribute types (RFC 8489 section 18.3, RFC 8445 section 16.1). */
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const FINGERPRINT = 0x8028;
const CONTROLLING = 0x802a;

/** A Binding request by which the controlling side nominates the pair it is sent on. */
export function bindingRequest(
  { usernameFragment, password }: { readonly usernameFragment: string; readonly password: string },
  transaction: Buffer,
): Buffer {
  const header = Buffer.from('000100002112a442', 'hex');
  let message = Buffer.concat([header, transaction]);
  const add = (type: number, value: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(value.length, 2);
    message = Buffer.concat([message, head, value, Buffer.alloc(-value.length & 3)]);
    message.writeUInt16BE(message.length - 20, 2);
  };
  /** What these two are computed over counts them in its length already. */
  const lengthWith = (more: number) => {
    const copy = Buffer.from(message);
    copy.writeUInt16BE(message.length - 20 + more, 2);
    return copy;
  };
  add(USERNAME, Buffer.from(`${usernameFragment}:raw0`));
  add(PRIORITY, Buffer.from('6e7f00ff', 'hex'));
  add(CONTROLLING, Buffer.alloc(8, 1));
  add(USE_CANDIDATE, Buffer.alloc(0));
  add(MESSAGE_INTEGRITY, createHmac('sha1', password).update(lengthWith(24)).digest());
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc32(lengthWith(8)) ^ 0x5354554e) >>> 0);
  add(FINGERPRINT, sum);
  return message;
}

export function isStun(packet: Buffer): boolean {
  return packet.length >= 20 && packet.readUInt32BE(4) === 0x2112a442;
}
