import { describe, expect, test } from 'vitest';
import { whyForbidden, whyIpcMainForbidden } from './import-rules.mjs';

const why = (from: string, target: string, names: string[] = []) =>
  whyForbidden(from, target, { isPackage: !/^[a-z-]+\/.*\.\w+$/.test(target), names });

/** What may be imported by whom, and beside it an import that breaks the same row. */
const ROWS: [row: string, allowed: [string, string], forbidden: [string, string]][] = [
  ['protocol → nothing', ['protocol/chat.ts', 'protocol/ids.ts'], ['protocol/chat.ts', 'crypto/bytes.ts']],
  ['crypto → protocol', ['crypto/bytes.ts', 'protocol/ids.ts'], ['crypto/bytes.ts', 'renderer/db/database.ts']],
  ['server → protocol', ['server/ws/hello.ts', 'protocol/hello.ts'], ['server/ws/hello.ts', 'crypto/bytes.ts']],
  ['electron → protocol', ['electron/main.ts', 'protocol/ids.ts'], ['electron/main.ts', 'renderer/host/host.ts']],
  ['renderer → protocol', ['renderer/net/wire.ts', 'protocol/ids.ts'], ['renderer/net/wire.ts', 'server/config.ts']],
  ['renderer → crypto', ['renderer/crypto/worker.ts', 'crypto/bytes.ts'], ['renderer/main.ts', 'electron/main.ts']],
  [
    'the SFU alone imports mediasoup',
    ['server/sfu/room.ts', 'mediasoup'],
    ['server/modules/calls/index.ts', 'mediasoup/types'],
  ],
  [
    'mediasoup-client is another package',
    ['renderer/media/engine.ts', 'mediasoup-client'],
    ['renderer/media/engine.ts', 'mediasoup'],
  ],
  [
    'crypto alone imports libsignal',
    ['crypto/sessions/cipher.ts', '@privacyresearch/libsignal-protocol-typescript'],
    ['renderer/crypto/worker.ts', '@privacyresearch/libsignal-protocol-typescript'],
  ],
  ['the shell alone imports electron', ['electron/main.ts', 'electron'], ['renderer/host/electron.ts', 'electron']],
  [
    'modules meet through index.ts',
    ['server/modules/chat/send.ts', 'server/modules/devices/index.ts'],
    ['server/modules/chat/send.ts', 'server/modules/devices/store.ts'],
  ],
  [
    'modules share their types through model.ts',
    ['renderer/modules/chat/chat.svelte.ts', 'renderer/modules/calls/model.ts'],
    ['renderer/modules/chat/ChatPage.svelte', 'renderer/modules/calls/CallView.svelte'],
  ],
  [
    'a module may use its own files',
    ['server/modules/chat/index.ts', 'server/modules/chat/store.ts'],
    ['server/maintenance.ts', 'server/modules/chat/store.ts'],
  ],
  [
    'composition roots import every module',
    ['renderer/app/Frame.svelte', 'renderer/modules/chat/ChatPage.svelte'],
    ['renderer/crypto/worker.ts', 'renderer/modules/chat/ChatPage.svelte'],
  ],
  ...['renderer/ui/', 'renderer/host/', 'server/ws/', 'server/sfu/', 'server/store/', 'server/bus/'].map(
    (room): [string, [string, string], [string, string]] => {
      const side = room.split('/')[0] ?? '';
      return [
        `${room} imports no module`,
        [`${room}a.ts`, `${side}/other.ts`],
        [`${room}a.ts`, `${side}/modules/chat/index.ts`],
      ];
    },
  ),
  [
    'electron/shell/ imports no module',
    ['electron/shell/window.ts', 'electron/shell/app-page.ts'],
    ['electron/shell/window.ts', 'electron/modules/calls/index.ts'],
  ],
];

describe('the table of imports', () => {
  test.each(ROWS)('%s', (_row, allowed, forbidden) => {
    expect(why(...allowed)).toBeUndefined();
    expect(why(...forbidden)).toMatch(/^[^.]+.*: .+\.$/);
  });

  test('tests put rooms together, but do not get at packages', () => {
    expect(why('renderer/net/connection.test.ts', 'server/context.ts')).toBeUndefined();
    expect(why('server/testing/test-server.ts', 'server/modules/chat/store.ts')).toBeUndefined();
    expect(why('renderer/net/connection.test.ts', 'mediasoup')).toContain('server/sfu');
  });

  test('what drives the whole from outside imports what it likes', () => {
    expect(why('e2e/chat.spec.ts', 'server/modules/chat/store.ts')).toBeUndefined();
    expect(why('bench/ratchet.ts', '@privacyresearch/libsignal-protocol-typescript')).toBeUndefined();
  });

  test('the router alone uses ipcMain', () => {
    expect(whyIpcMainForbidden('electron/ipc/router.ts')).toBeUndefined();
    expect(whyIpcMainForbidden('electron/shell/window.ts')).toContain('router.ts');
    expect(why('electron/shell/window.ts', 'electron', ['BrowserWindow'])).toBeUndefined();
    expect(why('electron/shell/window.ts', 'electron', ['ipcMain'])).toContain('router.ts');
  });
});
