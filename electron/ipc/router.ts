import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import {
  BRIDGE_CALLS,
  BRIDGE_EVENTS,
  BridgeError,
  type BridgeAnswer,
  type BridgeCall,
  type BridgeEvent,
  type BridgeEventParams,
  type BridgeParams,
  type BridgeResult,
} from '../../protocol/ipc/bridge.ts';
import { EVENT_CHANNEL, INVOKE_CHANNEL } from '../../protocol/ipc/names.ts';
import type { AppPage } from '../shell/app-page.ts';

/** One handler for every call of the bridge; a missing one does not compile. */
export type BridgeHandlers = {
  readonly [C in BridgeCall]: (params: BridgeParams<C>) => BridgeResult<C> | Promise<BridgeResult<C>>;
};

/** As much of a window's contents as is needed to know it and to write to it. */
export interface BridgeContents {
  readonly mainFrame: { readonly url: string; readonly processId: number; readonly frameToken: string };
  isDestroyed(): boolean;
  send(channel: string, ...args: unknown[]): void;
}

export interface RouterOptions {
  readonly ipcMain: Pick<IpcMain, 'handle'>;
  readonly page: AppPage;
  /** The contents of the app's window, or null while there is none. */
  readonly contents: () => BridgeContents | null;
  readonly handlers: BridgeHandlers;
  /** Told of errors that are bugs, to be logged: the call, never its params. */
  readonly onBug: (call: BridgeCall, error: unknown) => void;
}

type Sender = Pick<IpcMainInvokeEvent, 'senderFrame'> & { readonly sender: unknown };

/**
 * Serves the bridge. This is the only place that hears the renderer: every call is checked for who sends it, looked up
 * in the table, and parsed both ways. Nothing is ever thrown across; a refusal is an answer with a code.
 */
export function serveBridge({ ipcMain, page, contents, handlers, onBug }: RouterOptions): void {
  ipcMain.handle(INVOKE_CHANNEL, async (event: Sender, name: unknown, params: unknown): Promise<BridgeAnswer> => {
    if (!isFromInterface(event, contents(), page)) return refusal('sender_refused', 'Only the interface may call.');
    if (!isCall(name)) return refusal('call_unknown', 'There is no such call.');
    const parsed = BRIDGE_CALLS[name].params.safeParse(params);
    if (!parsed.success) return refusal('params_invalid', 'The params do not match the schema of the call.');
    try {
      const handler = handlers[name] as (params: unknown) => unknown;
      return { ok: true, result: BRIDGE_CALLS[name].result.parse(await handler(parsed.data)) };
    } catch (error) {
      if (error instanceof BridgeError) return refusal(error.code, error.message);
      onBug(name, error);
      return refusal('internal', 'The shell failed.');
    }
  });
}

/** The main frame of our window, showing a page of the interface. A frame that is gone by now is nobody. */
function isFromInterface(event: Sender, contents: BridgeContents | null, page: AppPage): boolean {
  const frame = event.senderFrame;
  return (
    frame !== null &&
    contents !== null &&
    event.sender === contents &&
    frame.processId === contents.mainFrame.processId &&
    frame.frameToken === contents.mainFrame.frameToken &&
    frame.parent === null &&
    page.owns(frame.url)
  );
}

function isCall(name: unknown): name is BridgeCall {
  return typeof name === 'string' && Object.hasOwn(BRIDGE_CALLS, name);
}

function refusal(code: BridgeError['code'], message: string): BridgeAnswer {
  return { ok: false, error: { code, message } };
}

/** Tells the interface something; nothing happens if there is no window, or it shows another page by now. */
export function tellInterface<E extends BridgeEvent>(
  contents: BridgeContents | null,
  page: AppPage,
  event: E,
  params: BridgeEventParams<E>,
): boolean {
  if (contents === null || contents.isDestroyed() || !page.owns(contents.mainFrame.url)) return false;
  contents.send(EVENT_CHANNEL, event, BRIDGE_EVENTS[event].parse(params));
  return true;
}
