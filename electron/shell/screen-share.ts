import type {
  DesktopCapturerSource,
  DisplayMediaRequestHandlerHandlerRequest,
  Session,
  SourcesOptions,
  Streams,
} from 'electron';
import type { ScreenChoice, ScreenRequest, ScreenSource } from '../../protocol/ipc/bridge.ts';
import type { AppPage } from './app-page.ts';

/** Pixels; enough to tell one window from another on a dense screen. */
const THUMBNAIL = { width: 320, height: 200 };
/** A picker that nobody answers is given up, so that the page's request ends. Milliseconds. */
const ANSWER_WITHIN_MS = 120_000;

type PageRequest = Pick<DisplayMediaRequestHandlerHandlerRequest, 'frame' | 'videoRequested' | 'audioRequested'>;
type Source = Pick<DesktopCapturerSource, 'id' | 'name' | 'thumbnail'>;

export interface ScreenShareOptions {
  readonly page: AppPage;
  readonly platform: NodeJS.Platform;
  /** On Wayland only the compositor's own dialog (the desktop portal) can show and grant sources. */
  readonly isWayland: boolean;
  readonly getSources: (options: SourcesOptions) => Promise<readonly Source[]>;
  /** Shows the interface's picker; false if there is nobody to show it. */
  readonly showPicker: (request: ScreenRequest) => boolean;
  readonly newId: () => string;
}

/** Whether this desktop session runs on Wayland, under which an app cannot list screens and windows by itself. */
export function isWaylandSession(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment['XDG_SESSION_TYPE'] === 'wayland' || Boolean(environment['WAYLAND_DISPLAY']);
}

/**
 * Answers `getDisplayMedia`. macOS 15 and later show the system's picker and never come here. On Wayland listing the
 * sources opens the desktop portal, which asks the person and yields what they chose. Elsewhere the interface asks.
 */
export class ScreenShare {
  readonly #options: ScreenShareOptions;
  readonly #waiting = new Map<string, (choice: ScreenChoice | null) => void>();

  constructor(options: ScreenShareOptions) {
    this.#options = options;
  }

  install(session: Pick<Session, 'setDisplayMediaRequestHandler'>): void {
    session.setDisplayMediaRequestHandler(
      async (request, callback) => {
        callback(await this.#answerPage(request));
      },
      { useSystemPicker: true },
    );
  }

  /** The interface's answer to a picker. Answers to unknown or past requests change nothing. */
  answer(requestId: string, choice: ScreenChoice | null): void {
    this.#waiting.get(requestId)?.(choice);
  }

  /** Null refuses, whatever went wrong: the page then knows that nothing is shared. */
  async #answerPage({ frame, videoRequested, audioRequested }: PageRequest): Promise<Streams | null> {
    const allowed = frame !== null && frame.parent === null && this.#options.page.owns(frame.url);
    if (!allowed || !videoRequested) return null;
    try {
      return await this.#choose(audioRequested);
    } catch {
      return null;
    }
  }

  async #choose(audioRequested: boolean): Promise<Streams | null> {
    const { getSources, isWayland, platform } = this.#options;
    if (isWayland) {
      const [granted] = await getSources({ types: ['screen', 'window'], thumbnailSize: { width: 0, height: 0 } });
      return granted ? { video: granted } : null;
    }
    const sources = await getSources({ types: ['screen', 'window'], thumbnailSize: THUMBNAIL });
    // Electron captures the computer's sound only on Windows.
    const canShareAudio = audioRequested && platform === 'win32';
    const choice = await this.#ask(sources.map(describe), canShareAudio);
    // Only what was offered can be chosen.
    const chosen = sources.find(({ id }) => id === choice?.sourceId);
    if (!chosen) return null;
    return choice?.audio === true && canShareAudio ? { video: chosen, audio: 'loopback' } : { video: chosen };
  }

  #ask(sources: ScreenSource[], canShareAudio: boolean): Promise<ScreenChoice | null> {
    const requestId = this.#options.newId();
    return new Promise((resolve) => {
      const settle = (choice: ScreenChoice | null) => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(choice);
      };
      const timer = setTimeout(settle, ANSWER_WITHIN_MS, null);
      this.#waiting.set(requestId, settle);
      if (!this.#options.showPicker({ requestId, sources: sources.slice(0, 200), canShareAudio })) settle(null);
    });
  }
}

function describe({ id, name, thumbnail }: Source): ScreenSource {
  return {
    id,
    name: name.slice(0, 500),
    kind: id.startsWith('screen:') ? 'screen' : 'window',
    thumbnail: thumbnail.isEmpty() ? null : thumbnail.toDataURL(),
  };
}
