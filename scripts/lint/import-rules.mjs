/**
 * The table of imports in docs/ARCHITECTURE.md, as rules that lint and tests share.
 * Paths are relative to the project, with forward slashes; an import is a path, or a package as it is written.
 */

/** What each top-level folder may import besides itself. */
const MAY_IMPORT = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  protocol: [],
  crypto: ['protocol'],
  server: ['protocol'],
  electron: ['protocol'],
  renderer: ['protocol', 'crypto'],
});

const WHY_NOT = /** @type {Readonly<Record<string, string>>} */ ({
  protocol: 'the contract stands alone, so that every process can hold it',
  crypto: 'what encrypts must not depend on where it runs: storage, randomness and time are passed in',
  server: 'the server must not even be able to resolve the code that decrypts, and knows nothing of its clients',
  electron: 'the shell shows the user interface and serves it, but is no part of it',
  renderer: 'the user interface reaches its server and its shell through protocol/ alone',
});

/** Packages that one place alone may import, so that what they can do stays in that place. */
const OWNED_PACKAGES = [
  { name: 'mediasoup', owner: 'server/sfu/', why: 'all else uses the SFU through server/sfu, which can be replaced' },
  {
    name: '@privacyresearch/libsignal-protocol-typescript',
    owner: 'crypto/',
    why: 'as shipped it has flaws that crypto/ mends; unmended it must not be used',
  },
  { name: 'electron', owner: 'electron/', why: 'everything else also runs without the desktop shell' },
];

/** Rooms that serve every module and so may know none. */
const BELOW_MODULES = [
  'renderer/ui/',
  'renderer/host/',
  'electron/shell/',
  'server/ws/',
  'server/sfu/',
  'server/store/',
  'server/bus/',
];

/** What a module shows to others: its manifest and its types. */
const MODULE_DOORS = new Set(['index.ts', 'model.ts']);

/** Where all modules are put together: files and folders that may import any file of any of them. */
const COMPOSITION_ROOTS = [
  'server/main.ts',
  'server/context.ts',
  'server/compose.ts',
  'renderer/main.ts',
  'renderer/app/',
  'electron/main.ts',
];

const IPC_ROUTER = 'electron/ipc/router.ts';

/**
 * Tests put real parts of several rooms together, so rooms and modules do not bind them; who may import a package does.
 *
 * @param {string} path
 */
const isTest = (path) => path.endsWith('.test.ts') || path.includes('/testing/');

/** @param {string} path @returns {string | undefined} for example "server/modules/chat" */
function moduleOf(path) {
  return /^(?:server|renderer|electron)\/modules\/[^/]+(?=\/)/.exec(path)?.[0];
}

/**
 * @param {string} from the importing file
 * @param {string} target a path within the project, or a package
 * @param {{ isPackage: boolean, names?: readonly string[] }} options `names`: what is imported of it
 * @returns {string | undefined} why this import must not be
 */
export function whyForbidden(from, target, { isPackage, names = [] }) {
  // e2e/, bench/ and scripts/ drive the whole from outside.
  if (!(topFolder(from) in MAY_IMPORT)) return undefined;
  if (isPackage) return whyPackageForbidden(from, target, names);
  return isTest(from) ? undefined : (whyRoomForbidden(from, target) ?? whyModuleForbidden(from, target));
}

/**
 * @param {string} from the file that uses Electron's ipcMain
 * @returns {string | undefined} why it must not
 */
export function whyIpcMainForbidden(from) {
  if (topFolder(from) !== 'electron' || from === IPC_ROUTER || isTest(from)) return undefined;
  return `Only ${IPC_ROUTER} uses ipcMain: it checks every message's sender and schema.`;
}

/**
 * @param {string} from
 * @param {string} target
 * @param {readonly string[]} names
 */
function whyPackageForbidden(from, target, names) {
  const owned = OWNED_PACKAGES.find(({ name }) => target === name || target.startsWith(`${name}/`));
  if (owned && !from.startsWith(owned.owner)) return `Only ${owned.owner} imports ${owned.name}: ${owned.why}.`;
  return target === 'electron' && names.includes('ipcMain') ? whyIpcMainForbidden(from) : undefined;
}

/**
 * @param {string} from
 * @param {string} target
 */
function whyRoomForbidden(from, target) {
  const [here, there] = [topFolder(from), topFolder(target)];
  const allowed = MAY_IMPORT[here];
  if (!allowed || here === there || allowed.includes(there)) return undefined;
  const may = allowed.length === 0 ? 'nothing' : allowed.map((name) => `${name}/`).join(' and ');
  return `${here}/ imports ${may} besides itself, not ${there}/: ${WHY_NOT[here]}.`;
}

/**
 * @param {string} from
 * @param {string} target
 */
function whyModuleForbidden(from, target) {
  const there = moduleOf(target);
  if (there === undefined || there === moduleOf(from)) return undefined;
  const room = BELOW_MODULES.find((folder) => from.startsWith(folder));
  if (room) return `${room} never imports a module: it serves them all.`;
  if (COMPOSITION_ROOTS.some((root) => from === root || (root.endsWith('/') && from.startsWith(root))))
    return undefined;
  const file = target.slice(there.length + 1);
  if (MODULE_DOORS.has(file)) return undefined;
  return `Modules meet through index.ts (and the types in model.ts): ${file} is ${there}'s own.`;
}

/** @param {string} path */
const topFolder = (path) => path.split('/')[0] ?? '';
