import { createInterface } from 'node:readline';

const ADDRESS = /^Teahouse is at (https?:\/\/\S+)$/;

/**
 * The address that a starting server prints.
 *
 * @param {string} line
 * @returns {string | undefined}
 */
export function addressOnLine(line) {
  return ADDRESS.exec(line.trim())?.[1];
}

/**
 * @param {import('node:child_process').ChildProcess} server with its standard output piped
 * @returns {Promise<string | undefined>} undefined when it ends without having started
 */
export function addressIn(server) {
  return new Promise((resolve) => {
    if (!server.stdout) return resolve(undefined);
    const lines = createInterface({ input: server.stdout });
    lines.on('line', (line) => {
      const address = addressOnLine(line);
      if (address !== undefined) resolve(address);
    });
    lines.once('close', () => resolve(undefined));
  });
}
