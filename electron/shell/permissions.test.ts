import { describe, expect, it, vi } from 'vitest';
import { createAppPage } from './app-page.ts';
import { installPermissions, isPermitted } from './permissions.ts';

const page = createAppPage(null);
const asks = (permission: string, requestingUrl: string | undefined = page.url, isMainFrame = true) =>
  isPermitted(page, { permission, requestingUrl, isMainFrame });

type Check = (contents: null, permission: string, origin: string, details: object) => boolean;
type Ask = (contents: object, permission: string, callback: (granted: boolean) => void, details: object) => void;

function install(askSystemForMedia = vi.fn(async (_kinds: readonly ('video' | 'audio')[]) => true)) {
  const session = {
    setPermissionCheckHandler: vi.fn<(handler: Check) => void>(),
    setPermissionRequestHandler: vi.fn<(handler: Ask) => void>(),
    setDevicePermissionHandler: vi.fn<(handler: (details: object) => boolean) => void>(),
    setBluetoothPairingHandler:
      vi.fn<(handler: (details: object, callback: (answer: object) => void) => void) => void>(),
  };
  installPermissions(session as never, { page, askSystemForMedia });
  const check = session.setPermissionCheckHandler.mock.calls[0]![0];
  const handler = session.setPermissionRequestHandler.mock.calls[0]![0];
  const ask = (permission: string, details: object) =>
    new Promise<boolean>((resolve) =>
      handler({}, permission, resolve, { requestingUrl: page.url, isMainFrame: true, ...details }),
    );
  return { session, check, ask, askSystemForMedia };
}

describe('permissions', () => {
  it.each([
    'media',
    'display-capture',
    'notifications',
    'clipboard-sanitized-write',
    'fullscreen',
    'screen-wake-lock',
    'local-network-access',
  ])('grant %s to the main frame of the interface alone', (permission) => {
    expect(asks(permission)).toBe(true);
    expect(asks(permission, page.url, false)).toBe(false);
    expect(asks(permission, 'https://tea.example.org/')).toBe(false);
    expect(asks(permission, 'app://other/')).toBe(false);
    expect(asks(permission, '')).toBe(false);
    expect(isPermitted(page, { permission, requestingUrl: undefined, isMainFrame: true })).toBe(false);
  });

  it.each([
    'geolocation',
    'midi',
    'midiSysex',
    'hid',
    'serial',
    'usb',
    'clipboard-read',
    'openExternal',
    'fileSystem',
    'idle-detection',
    'unknown',
    'a-later-one',
  ])('refuse %s to everybody', (permission) => expect(asks(permission)).toBe(false));

  it('are in force for checks, requests and devices', async () => {
    const { session, check, ask } = install();
    const mainFrame = { requestingUrl: page.url, isMainFrame: true };
    expect(check(null, 'media', 'app://teahouse/', mainFrame)).toBe(true);
    // The origin that Electron passes beside is not what decides.
    expect(check(null, 'media', 'app://teahouse/', { ...mainFrame, requestingUrl: 'https://evil.example/' })).toBe(
      false,
    );
    expect(check(null, 'geolocation', 'app://teahouse/', mainFrame)).toBe(false);
    expect(await ask('notifications', {})).toBe(true);
    expect(await ask('notifications', { isMainFrame: false })).toBe(false);
    expect(await ask('geolocation', {})).toBe(false);
    expect(session.setDevicePermissionHandler.mock.calls[0]![0]({})).toBe(false);
    const pair = vi.fn();
    session.setBluetoothPairingHandler.mock.calls[0]![0]({}, pair);
    expect(pair).toHaveBeenCalledWith({ confirmed: false });
  });

  it('ask the system for camera and microphone, only after our own rules, and believe it', async () => {
    const { ask, askSystemForMedia } = install();
    expect(await ask('media', { mediaTypes: ['audio', 'video'] })).toBe(true);
    expect(askSystemForMedia).toHaveBeenCalledExactlyOnceWith(['audio', 'video']);
    expect(await ask('media', { mediaTypes: ['video'], requestingUrl: 'https://evil.example/' })).toBe(false);
    expect(askSystemForMedia).toHaveBeenCalledOnce();
    askSystemForMedia.mockResolvedValueOnce(false);
    expect(await ask('media', { mediaTypes: ['video'] })).toBe(false);
    askSystemForMedia.mockRejectedValueOnce(new Error('no answer'));
    expect(await ask('media', { mediaTypes: ['video'] })).toBe(false);
  });
});
