import { createCipheriv } from 'node:crypto';

const KEY_BYTES = 16;
const SALT_BYTES = 12;

/** SRTP with AEAD_AES_128_GCM (RFC 7714), one way: what a DTLS client protects. */
export class Protection {
  readonly #rtp: { readonly key: Buffer; readonly salt: Buffer };
  readonly #rtcp: { readonly key: Buffer; readonly salt: Buffer };
  readonly #sequences = new Map<number, { readonly last: number; readonly rollOver: number }>();
  #rtcpIndex = 0;

  /** @param material what DTLS exports (RFC 5764 section 4.2): client's key, server's key, client's salt, server's salt */
  constructor(material: Buffer) {
    const key = material.subarray(0, KEY_BYTES);
    const salt = material.subarray(2 * KEY_BYTES, 2 * KEY_BYTES + SALT_BYTES);
    this.#rtp = { key: derived(key, salt, 0, KEY_BYTES), salt: derived(key, salt, 2, SALT_BYTES) };
    this.#rtcp = { key: derived(key, salt, 3, KEY_BYTES), salt: derived(key, salt, 5, SALT_BYTES) };
  }

  /** Section 8. */
  rtp(packet: Buffer, headerLength: number): Buffer {
    const header = packet.subarray(0, headerLength);
    const iv = Buffer.alloc(SALT_BYTES);
    packet.copy(iv, 2, 8, 12);
    iv.writeUInt32BE(this.#rollOver(packet.readUInt32BE(8), packet.readUInt16BE(2)), 6);
    packet.copy(iv, 10, 2, 4);
    return Buffer.concat([header, sealed(this.#rtp, iv, header, packet.subarray(headerLength))]);
  }

  /** Section 9. */
  rtcp(packet: Buffer): Buffer {
    const header = packet.subarray(0, 8);
    const index = Buffer.alloc(4);
    index.writeUInt32BE((0x8000_0000 | this.#rtcpIndex) >>> 0);
    const iv = Buffer.alloc(SALT_BYTES);
    packet.copy(iv, 2, 4, 8);
    iv.writeUInt32BE(this.#rtcpIndex, 8);
    this.#rtcpIndex += 1;
    const body = sealed(this.#rtcp, iv, Buffer.concat([header, index]), packet.subarray(8));
    return Buffer.concat([header, body, index]);
  }

  /** How often the numbers of a source began anew (RFC 3711 section 3.3.1); none goes back by half of them. */
  #rollOver(ssrc: number, sequence: number): number {
    const { last, rollOver } = this.#sequences.get(ssrc) ?? { last: sequence, rollOver: 0 };
    const now = last - sequence > 0x8000 ? rollOver + 1 : rollOver;
    this.#sequences.set(ssrc, { last: sequence, rollOver: now });
    return now;
  }
}

function sealed(
  { key, salt }: { readonly key: Buffer; readonly salt: Buffer },
  iv: Buffer,
  associated: Buffer,
  plain: Buffer,
): Buffer {
  const cipher = createCipheriv(
    'aes-128-gcm',
    key,
    iv.map((byte, at) => byte ^ (salt[at] ?? 0)),
  );
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** RFC 3711 section 4.3.1, with the salt lengthened to 14 bytes as RFC 7714 section 11 has it. */
function derived(key: Buffer, salt: Buffer, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  salt.copy(iv);
  iv[7] = (iv[7] ?? 0) ^ label;
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(length));
}
