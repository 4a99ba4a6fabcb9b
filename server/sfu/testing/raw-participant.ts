import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DtlsParameters } from '../../../protocol/media.ts';
import type { TransportDescription } from '../peer.ts';
import { bindingRequest, isStun } from './stun-request.ts';
import { Protection } from './srtp.ts';

/** Payload-specific feedback with format 1 is a picture loss indication (RFC 4585 section 6.3.1). */
const PLI = { format: 1, type: 206 };
const KEYS_BYTES = 56;

/**
 * A participant without a browser, who sends what he likes: ICE and SRTP of his own, DTLS by the `openssl` command.
 * For hostile tests against a real media worker.
 */
export class RawParticipant {
  /** Requests for a key frame that the media server has sent. */
  pictureLosses = 0;
  bytesReceived = 0;
  /** The newest sequence number of each SSRC received. */
  readonly sequences = new Map<number, number>();
  /** Called for each packet of sound or picture received. */
  onPacket: (ssrc: number, sequence: number) => void = () => {};
  readonly #folder = mkdtempSync(join(tmpdir(), 'raw-participant-'));
  readonly #socket = createSocket('udp4');
  /** What `openssl` speaks to. */
  readonly #relay = createSocket('udp4');
  readonly #port: number;
  readonly #address: string;
  #openssl: ChildProcess | null = null;
  #opensslPort = 0;
  #protection: Protection | null = null;

  /** @param connect tells the media server the fingerprints, as `Peer.connectTransport` does */
  static async connect(
    transport: TransportDescription,
    connect: (dtlsParameters: DtlsParameters) => Promise<void>,
  ): Promise<RawParticipant> {
    const participant = new RawParticipant(transport);
    await connect(participant.#certify());
    await participant.#check(transport.iceParameters);
    await participant.#shakeHands();
    return participant;
  }

  private constructor({ iceCandidates }: TransportDescription) {
    const candidate = iceCandidates.find(({ protocol }) => protocol === 'udp');
    if (candidate === undefined) throw new Error('no UDP candidate');
    this.#port = candidate.port;
    this.#address = candidate.address;
    this.#socket.on('message', (packet) => this.#received(packet));
    this.#relay.on('message', (packet, { port }) => {
      this.#opensslPort = port;
      this.sendRaw(packet);
    });
  }

  sendRaw(packet: Buffer): void {
    this.#socket.send(packet, this.#port, this.#address);
  }

  /** Encrypts and sends an RTP packet whose header, with extensions, has `headerLength` bytes. */
  sendRtp(packet: Buffer, headerLength: number): void {
    this.sendRaw(this.#keys.rtp(packet, headerLength));
  }

  sendRtcp(packet: Buffer): void {
    this.sendRaw(this.#keys.rtcp(packet));
  }

  close(): void {
    this.#openssl?.kill();
    this.#socket.close();
    this.#relay.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #keys(): Protection {
    if (this.#protection === null) throw new Error('not connected');
    return this.#protection;
  }

  #certify(): DtlsParameters {
    const [key, certificate] = this.#files;
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const files = ['-nodes', '-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', ...curve, ...files, '-subj', '/CN=raw', '-days', '1'], {
      stdio: 'ignore',
    });
    const { raw } = new X509Certificate(readFileSync(certificate));
    const hex = createHash('sha256').update(raw).digest('hex').toUpperCase();
    return {
      role: 'client',
      fingerprints: [{ algorithm: 'sha-256', value: hex.replace(/..(?!$)/g, '$&:') }],
    };
  }

  get #files(): [key: string, certificate: string] {
    return [join(this.#folder, 'key.pem'), join(this.#folder, 'certificate.pem')];
  }

  async #check(credentials: { readonly usernameFragment: string; readonly password: string }): Promise<void> {
    await bound(this.#socket);
    const request = bindingRequest(credentials, randomBytes(12));
    this.sendRaw(request);
    // Under a flood packets are lost, and ICE sends again (RFC 8445 section 14.3: after 500 ms).
    const again = setInterval(() => this.sendRaw(request), 500);
    try {
      await once(this.#socket, 'message', { signal: AbortSignal.timeout(5_000) });
    } finally {
      clearInterval(again);
    }
  }

  async #shakeHands(): Promise<void> {
    await bound(this.#relay);
    const [key, certificate] = this.#files;
    const child = spawn(
      'openssl',
      ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${this.#relay.address().port}`]
        .concat(['-key', key, '-cert', certificate, '-use_srtp', 'SRTP_AEAD_AES_128_GCM'])
        .concat(['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', String(KEYS_BYTES)]),
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    this.#openssl = child;
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      const material = new RegExp(`Keying material: ([0-9A-F]{${2 * KEYS_BYTES}})`).exec(said)?.[1];
      if (material === undefined) continue;
      this.#protection = new Protection(Buffer.from(material, 'hex'));
      return;
    }
    throw new Error('no DTLS connection');
  }

  #received(packet: Buffer): void {
    this.bytesReceived += packet.length;
    const first = packet[0] ?? 0;
    if (isStun(packet)) return;
    // RFC 7983: DTLS.
    if (first >= 20 && first <= 63) this.#relay.send(packet, this.#opensslPort, '127.0.0.1');
    else if (packet[1] === PLI.type && (first & 0x1f) === PLI.format) this.pictureLosses += 1;
    else if (!isFeedback(packet)) this.#arrived(packet.readUInt32BE(8), packet.readUInt16BE(2));
  }

  #arrived(ssrc: number, sequence: number): void {
    this.sequences.set(ssrc, sequence);
    this.onPacket(ssrc, sequence);
  }
}

/** RFC 5761 section 4. */
function isFeedback(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return type >= 192 && type <= 223;
}

async function bound(socket: Socket): Promise<void> {
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
}
