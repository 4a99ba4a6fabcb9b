export interface RtpPacketOptions {
  readonly ssrc: number;
  readonly sequence: number;
  readonly payloadType: number;
  readonly payload: Buffer;
  readonly timestamp?: number;
  /** One-byte header extensions (RFC 8285) by id; values of 1 to 16 bytes. */
  readonly extensions?: Readonly<Record<number, string>>;
}

/** An RTP packet (RFC 3550 section 5.1), and how long its header is. */
export function rtpPacket(options: RtpPacketOptions): [packet: Buffer, headerLength: number] {
  const { ssrc, sequence, payloadType, payload, timestamp = sequence * 960, extensions = {} } = options;
  const fixed = Buffer.alloc(12);
  fixed[0] = 0x80;
  fixed[1] = payloadType;
  fixed.writeUInt16BE(sequence & 0xffff, 2);
  fixed.writeUInt32BE(timestamp >>> 0, 4);
  fixed.writeUInt32BE(ssrc, 8);
  const elements = Buffer.concat(
    Object.entries(extensions).map(([id, value]) =>
      Buffer.concat([Buffer.from([(Number(id) << 4) | (value.length - 1)]), Buffer.from(value)]),
    ),
  );
  if (elements.length === 0) return [Buffer.concat([fixed, payload]), fixed.length];
  fixed[0] |= 0x10;
  const padded = Buffer.concat([elements, Buffer.alloc(-elements.length & 3)]);
  const head = Buffer.from([0xbe, 0xde, 0, padded.length / 4]);
  const header = Buffer.concat([fixed, head, padded]);
  return [Buffer.concat([header, payload]), header.length];
}

/** A picture loss indication (RFC 4585 section 6.3.1). */
export function pictureLoss(ssrc: number): Buffer {
  const packet = Buffer.from('81ce00020000000100000000', 'hex');
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

/** Says that packets are lost (section 6.2.1): each item names one and, by bits, those of the 16 after it. */
export function losses(ssrc: number, items: readonly (readonly [sequence: number, following: number])[]): Buffer {
  const packet = Buffer.alloc(12 + 4 * items.length);
  packet.writeUInt16BE(0x81cd, 0);
  packet.writeUInt16BE(2 + items.length, 2);
  packet.writeUInt32BE(1, 4);
  packet.writeUInt32BE(ssrc, 8);
  items.forEach(([sequence, following], index) => {
    packet.writeUInt16BE(sequence & 0xffff, 12 + 4 * index);
    packet.writeUInt16BE(following, 14 + 4 * index);
  });
  return packet;
}
