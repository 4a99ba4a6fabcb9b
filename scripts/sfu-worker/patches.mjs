/**
 * @typedef {object} Patch
 * @property {string} file within mediasoup's worker folder
 * @property {string} from
 * @property {string} to
 */

/** @type {readonly Patch[]} */
export const PATCHES = [
  // Nothing in the file needs more than the Meson 1.0 of Debian 12.
  { file: 'meson.build', from: `meson_version: '>= 1.1.0'`, to: `meson_version: '>= 1.0.0'` },
  // By this name Meson finds the library only through a .wrap file.
  {
    file: 'meson.build',
    from: `dependency('unordered_dense')`,
    to: `subproject('unordered_dense').get_variable('ankerl_unordered_dense_dep')`,
  },
  // OpenSSL calls a BIO's callback before and after each operation, and takes what it returns afterwards for the
  // operation's result. The callback recognises "afterwards" only when no operation is named beside it, which is never
  // so, and answers 1 to everything. A distribution's OpenSSL, built with kernel TLS, also asks whether the kernel does
  // the encryption; told 1, it allocates no buffer of its own and crashes in do_dtls1_write at the first handshake.
  // So return the real result whenever the "afterwards" flag is set.
  {
    file: 'src/RTC/DtlsTransport.cpp',
    from: '(operationType == BIO_CB_RETURN)',
    to: '((operationType & BIO_CB_RETURN) != 0)',
  },
];

/**
 * @param {string} text
 * @param {Patch} patch
 * @returns {string}
 * @throws {Error} when the text to replace is not there exactly once: then this version of mediasoup needs a fresh look
 */
export function patchText(text, { file, from, to }) {
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`mediasoup's ${file} holds "${from}" ${parts.length - 1} times instead of once`);
  }
  return parts.join(to);
}
