/**
 * The parts of the Web platform that this folder may use: WebCrypto and UTF-8 coding, which browsers, workers and
 * Node offer alike. Declared by hand so that neither the DOM nor Node's API can be reached from here by accident.
 * Consumers compile against their own runtime's full declarations of the same names.
 */

interface CryptoKey {
  readonly type: 'private' | 'public' | 'secret';
  readonly extractable: boolean;
  readonly usages: string[];
}

interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

type WebCryptoAlgorithm =
  | 'Ed25519'
  | 'X25519'
  | 'SHA-256'
  | 'AES-GCM'
  | 'AES-CBC'
  | { readonly name: 'X25519'; readonly public: CryptoKey }
  | { readonly name: 'AES-CBC'; readonly iv: Uint8Array<ArrayBuffer> }
  | { readonly name: 'AES-GCM'; readonly length: 256 }
  | {
      readonly name: 'AES-GCM';
      readonly iv: Uint8Array<ArrayBuffer>;
      readonly additionalData: Uint8Array<ArrayBuffer>;
    };

type WebCryptoBytes = ArrayBuffer | Uint8Array<ArrayBuffer>;
type WebCryptoUsage = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'deriveBits';

interface SubtleCrypto {
  digest(algorithm: WebCryptoAlgorithm, data: WebCryptoBytes): Promise<ArrayBuffer>;
  encrypt(algorithm: WebCryptoAlgorithm, key: CryptoKey, data: WebCryptoBytes): Promise<ArrayBuffer>;
  decrypt(algorithm: WebCryptoAlgorithm, key: CryptoKey, data: WebCryptoBytes): Promise<ArrayBuffer>;
  sign(algorithm: WebCryptoAlgorithm, key: CryptoKey, data: WebCryptoBytes): Promise<ArrayBuffer>;
  verify(
    algorithm: WebCryptoAlgorithm,
    key: CryptoKey,
    signature: WebCryptoBytes,
    data: WebCryptoBytes,
  ): Promise<boolean>;
  deriveBits(algorithm: WebCryptoAlgorithm, key: CryptoKey, length: number): Promise<ArrayBuffer>;
  generateKey(
    algorithm: 'Ed25519' | 'X25519',
    extractable: boolean,
    usages: readonly WebCryptoUsage[],
  ): Promise<CryptoKeyPair>;
  generateKey(
    algorithm: { readonly name: 'AES-GCM'; readonly length: 256 },
    extractable: boolean,
    usages: readonly WebCryptoUsage[],
  ): Promise<CryptoKey>;
  importKey(
    format: 'raw' | 'pkcs8',
    keyData: WebCryptoBytes,
    algorithm: WebCryptoAlgorithm,
    extractable: boolean,
    usages: readonly WebCryptoUsage[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw' | 'pkcs8', key: CryptoKey): Promise<ArrayBuffer>;
  exportKey(format: 'jwk', key: CryptoKey): Promise<{ readonly x?: string; readonly d?: string }>;
}

interface Crypto {
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(array: T): T;
}

declare const crypto: Crypto;

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label: 'utf-8', options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
