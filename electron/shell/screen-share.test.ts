import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScreenChoice, ScreenRequest } from '../../protocol/ipc/bridge.ts';
import { createAppPage } from './app-page.ts';
import { isWaylandSession, ScreenShare } from './screen-share.ts';

const page = createAppPage(null);
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const source = (id: string, name: string, empty = false) => ({
  id,
  name,
  thumbnail: { isEmpty: () => empty, toDataURL: () => PNG } as never,
});
const screen = source('screen:0:0', 'Entire screen');
const browser = source('window:7:0', 'Browser', true);

type Handler = (request: object, callback: (streams: unknown) => void) => void;

function setUp(options: { platform?: NodeJS.Platform; isWayland?: boolean; listening?: boolean } = {}) {
  const asked: ScreenRequest[] = [];
  const getSources = vi.fn(async (_options: object) => [screen, browser]);
  let ids = 0;
  const share = new ScreenShare({
    page,
    platform: options.platform ?? 'linux',
    isWayland: options.isWayland ?? false,
    getSources,
    showPicker: (request) => {
      asked.push(request);
      return options.listening ?? true;
    },
    newId: () => `00000000-0000-4000-8000-00000000000${(ids += 1)}`,
  });
  const setHandler = vi.fn<(handler: Handler, options: object) => void>();
  share.install({ setDisplayMediaRequestHandler: setHandler as never });
  const [handler, handlerOptions] = setHandler.mock.calls[0]!;
  const capture = (request: object = {}) =>
    new Promise<unknown>((resolve) =>
      handler(
        { frame: { parent: null, url: page.url }, videoRequested: true, audioRequested: true, ...request },
        resolve,
      ),
    );
  const answer = async (choice: ScreenChoice | null) => {
    await vi.waitFor(() => expect(asked).not.toHaveLength(0));
    share.answer(asked.at(-1)!.requestId, choice);
  };
  return { share, asked, getSources, capture, answer, handlerOptions };
}

describe('screen share', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('leaves the choice to the system’s picker where there is one', () => {
    expect(setUp().handlerOptions).toEqual({ useSystemPicker: true });
  });

  it('offers screens and windows with their pictures, and shares the chosen one', async () => {
    const { capture, answer, asked } = setUp();
    const captured = capture();
    await answer({ sourceId: browser.id, audio: false });
    expect(await captured).toEqual({ video: browser });
    expect(asked[0]).toMatchObject({
      canShareAudio: false,
      sources: [
        { id: screen.id, name: 'Entire screen', kind: 'screen', thumbnail: PNG },
        { id: browser.id, name: 'Browser', kind: 'window', thumbnail: null },
      ],
    });
  });

  it('shares the sound of the computer on Windows, if the page and the person want it', async () => {
    const { capture, answer, asked } = setUp({ platform: 'win32' });
    const withSound = capture();
    await answer({ sourceId: screen.id, audio: true });
    expect(await withSound).toEqual({ video: screen, audio: 'loopback' });
    const unwanted = capture({ audioRequested: false });
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    await answer({ sourceId: screen.id, audio: true });
    expect(await unwanted).toEqual({ video: screen });
  });

  it('shares nothing if the person cancels, or names what was not offered', async () => {
    for (const choice of [null, { sourceId: 'window:8:0', audio: false }]) {
      const { capture, answer } = setUp();
      const captured = capture();
      await answer(choice);
      expect(await captured).toBeNull();
    }
  });

  it('asks once on Wayland: the desktop portal does, and gives what was granted', async () => {
    const { capture, getSources, asked } = setUp({ isWayland: true });
    getSources.mockResolvedValueOnce([screen]).mockResolvedValueOnce([]);
    expect(await capture()).toEqual({ video: screen });
    expect(await capture()).toBeNull();
    expect(asked).toEqual([]);
    expect(getSources.mock.calls[0]).toEqual([{ types: ['screen', 'window'], thumbnailSize: { width: 0, height: 0 } }]);
  });

  it('refuses every frame but the main one of the interface, without looking at the screen', async () => {
    const { capture, getSources } = setUp();
    for (const frame of [null, { parent: {}, url: page.url }, { parent: null, url: 'https://tea.example.org/' }]) {
      expect(await capture({ frame })).toBeNull();
    }
    expect(await capture({ videoRequested: false })).toBeNull();
    expect(getSources).not.toHaveBeenCalled();
  });

  it('refuses when the system fails or nobody can be asked', async () => {
    const failing = setUp();
    failing.getSources.mockRejectedValueOnce(new Error('Failed to get sources.'));
    expect(await failing.capture()).toBeNull();
    expect(await setUp({ listening: false }).capture()).toBeNull();
  });

  it('gives up a picker that nobody answers, and hears no late answer', async () => {
    const { capture, share, asked } = setUp();
    const captured = capture();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await captured).toBeNull();
    share.answer(asked[0]!.requestId, { sourceId: screen.id, audio: false });
    share.answer('00000000-0000-4000-8000-000000000999', null);
  });
});

describe('isWaylandSession', () => {
  it('knows it by either variable', () => {
    expect(isWaylandSession({ XDG_SESSION_TYPE: 'wayland' })).toBe(true);
    expect(isWaylandSession({ XDG_SESSION_TYPE: 'tty', WAYLAND_DISPLAY: 'wayland-0' })).toBe(true);
    expect(isWaylandSession({ XDG_SESSION_TYPE: 'x11', DISPLAY: ':0' })).toBe(false);
  });
});
