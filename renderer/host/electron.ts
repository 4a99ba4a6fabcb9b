import {
  BRIDGE_CALLS,
  BRIDGE_EVENTS,
  BridgeAnswer,
  BridgeError,
  type BridgeCall,
  type BridgeParams,
  type BridgeResult,
  type ScreenChoice,
  type ScreenRequest,
  type ShellDescription,
  type TeahouseBridge,
} from '../../protocol/ipc/bridge.ts';
import type { Host, SecretStore } from './host.ts';

declare global {
  /** Set by the desktop app's preload; absent in a browser. */
  var teahouse: TeahouseBridge | undefined;
}

const PLATFORM_NAMES: Record<ShellDescription['platform'], string> = {
  linux: 'Linux',
  mac: 'macOS',
  windows: 'Windows',
};

export interface ElectronHostOptions {
  /** Loads the page anew, keeping its address and fragment. */
  readonly reload?: () => void;
  /** Asks which screen or window to share, where the system does not ask by itself. Null: cancelled. */
  readonly pickScreen?: (request: ScreenRequest) => Promise<ScreenChoice | null>;
}

/**
 * The desktop shell as the interface sees it. Asks the shell once what it is, then answers from that.
 * Rejects with BridgeError if the shell refuses, or ZodError if it answers nonsense.
 */
export async function createElectronHost(bridge: TeahouseBridge, options: ElectronHostOptions = {}): Promise<Host> {
  const { reload = () => location.reload(), pickScreen = pickScreenByDialog } = options;
  const shell = await ask(bridge, 'describe', {});
  const platform = PLATFORM_NAMES[shell.platform];
  answerScreenRequests(bridge, pickScreen);
  return {
    kind: 'electron',
    clientName: `Teahouse ${shell.version} on ${platform}`,
    deviceName: `Teahouse on ${platform}`,
    serverOrigin: async () => shell.serverOrigin,
    firstServerOrigin: async () => shell.firstServerOrigin,
    async setServerOrigin(origin) {
      await ask(bridge, 'setServerOrigin', { origin });
      if (origin === shell.serverOrigin) return;
      // The policy that lets this page talk to the server comes with the page; nothing after this line may run on the old one.
      reload();
      await new Promise<never>(() => {});
    },
    secrets: shell.secretStore === 'system' ? secretStore(bridge) : null,
    notify: notifier(bridge),
    setBadge: (count) =>
      inBackground(ask(bridge, 'setBadge', { count: Math.min(Math.max(Math.trunc(count), 0), 9999) })),
    onDeepLink: (listener) => listenForDeepLinks(bridge, listener),
  };
}

/** One call over the bridge, its answer parsed. */
async function ask<C extends BridgeCall>(
  bridge: TeahouseBridge,
  name: C,
  params: BridgeParams<C>,
): Promise<BridgeResult<C>> {
  const send = bridge[name] as (params: BridgeParams<C>) => Promise<unknown>;
  const answer = BridgeAnswer.parse(await send(params));
  if (!answer.ok) throw new BridgeError(answer.error.code, answer.error.message);
  return BRIDGE_CALLS[name].result.parse(answer.result) as BridgeResult<C>;
}

/** For what nobody waits for: a badge or notification that fails must not stop a message from being shown. */
function inBackground(work: Promise<unknown>): void {
  work.catch((error: unknown) => reportError(error));
}

function secretStore(bridge: TeahouseBridge): SecretStore {
  return {
    seal: async (plain) => (await ask(bridge, 'sealSecret', { plain })).sealed,
    open: async (sealed) => (await ask(bridge, 'openSecret', { sealed })).plain,
  };
}

function notifier(bridge: TeahouseBridge): Host['notify'] {
  const clicks = new Map<string, () => void>();
  bridge.onNotificationClicked((params) => {
    const { tag } = BRIDGE_EVENTS.notificationClicked.parse(params);
    clicks.get(tag)?.();
    clicks.delete(tag);
  });
  return ({ tag, title, body, onClick }) => {
    clicks.set(tag, onClick);
    inBackground(ask(bridge, 'notify', { tag, title: shorten(title, 200), body: shorten(body, 1000) }));
  };
}

/** Makes names and messages of other people fit for a notification: no control or override characters, not too long. */
function shorten(text: string, length: number): string {
  const plain = text.replace(/[[\p{Cc}\u202a-\u202e\u2066-\u2069]--\n]/gv, ' ');
  return plain.length <= length ? plain : `${plain.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function listenForDeepLinks(bridge: TeahouseBridge, listener: (hash: string) => void): () => void {
  let listening = true;
  const take = async () => {
    if (!listening) return;
    const { invitation, reset } = await ask(bridge, 'takeDeepLink', {});
    if (invitation !== null) listener(`#/join/${invitation}`);
    if (reset !== null) listener(`#/reset/${reset}`);
  };
  const stop = bridge.onDeepLinkArrived(() => inBackground(take()));
  // A link may have started the app, long before anybody listened.
  inBackground(take());
  return () => {
    listening = false;
    stop();
  };
}

function answerScreenRequests(bridge: TeahouseBridge, pick: NonNullable<ElectronHostOptions['pickScreen']>): void {
  bridge.onScreenRequested((params) => {
    const request = BRIDGE_EVENTS.screenRequested.parse(params);
    const answer = async () => {
      const choice = await pick(request).catch(() => null);
      await ask(bridge, 'chooseScreen', { requestId: request.requestId, choice });
    };
    inBackground(answer());
  });
}

/** Loaded when first needed: browsers and most sessions never are. */
async function pickScreenByDialog(request: ScreenRequest): Promise<ScreenChoice | null> {
  const { pickScreen } = await import('./screen-picker.ts');
  return pickScreen(request);
}
