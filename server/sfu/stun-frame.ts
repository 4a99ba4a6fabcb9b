import { LIMITS } from './limits.ts';

/** RFC 8489 section 5. */
const HEADER = 20;
const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;

/** The first packet of a stream framed as in RFC 4571: two bytes of length, then the packet. */
export function firstFrame(data: Buffer): Buffer | 'incomplete' | 'too-long' {
  if (data.length < 2) return 'incomplete';
  const length = data.readUInt16BE(0);
  if (length > LIMITS.bindingRequest.value) return 'too-long';
  return data.length < 2 + length ? 'incomplete' : data.subarray(2, 2 + length);
}

export function isBindingRequest(packet: Buffer): boolean {
  return hasHeader(packet, BINDING_REQUEST) && packet.length === HEADER + packet.readUInt16BE(2);
}

/** Looks for a Binding success response in a framed stream, however it is cut into chunks. Keeps 10 bytes at most. */
export class StunSuccess {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present packet that need not be looked at. */
  #skip = 0;

  seenIn(chunk: Buffer): boolean {
    let data = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const skipped = Math.min(this.#skip, data.length);
      this.#skip -= skipped;
      data = data.subarray(skipped);
      if (data.length < 2) break;
      const length = data.readUInt16BE(0);
      const looked = Math.min(length, 8);
      if (data.length < 2 + looked) break;
      if (length >= HEADER && hasHeader(data.subarray(2), BINDING_SUCCESS)) return true;
      this.#skip = 2 + length;
    }
    this.#rest = Buffer.from(data);
    return false;
  }
}

function hasHeader(packet: Buffer, type: number): boolean {
  return packet.length >= 8 && packet.readUInt16BE(0) === type && packet.readUInt32BE(4) === MAGIC_COOKIE;
}
