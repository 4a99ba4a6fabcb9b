import { contextBridge, ipcRenderer } from 'electron';
import type { BridgeCall, BridgeEvent, TeahouseBridge } from '../protocol/ipc/bridge.ts';
import { EVENT_CHANNEL, INVOKE_CHANNEL } from '../protocol/ipc/names.ts';

// Runs sandboxed beside the interface. It hands over named functions and decides nothing: whether a call is allowed
// and what it may carry is for the router in the main process.

function invoke(call: BridgeCall, params: object): Promise<unknown> {
  return ipcRenderer.invoke(INVOKE_CHANNEL, call, params);
}

/** The listener never sees Electron's event, which would lead back to ipcRenderer. */
function listen(event: BridgeEvent, listener: (params: unknown) => void): () => void {
  const hear = (_event: unknown, name: unknown, params: unknown) => {
    if (name === event) listener(params);
  };
  ipcRenderer.on(EVENT_CHANNEL, hear);
  return () => {
    ipcRenderer.removeListener(EVENT_CHANNEL, hear);
  };
}

const bridge: TeahouseBridge = {
  describe: (params) => invoke('describe', params),
  setServerOrigin: (params) => invoke('setServerOrigin', params),
  sealSecret: (params) => invoke('sealSecret', params),
  openSecret: (params) => invoke('openSecret', params),
  notify: (params) => invoke('notify', params),
  setBadge: (params) => invoke('setBadge', params),
  takeDeepLink: (params) => invoke('takeDeepLink', params),
  chooseScreen: (params) => invoke('chooseScreen', params),
  onDeepLinkArrived: (listener) => listen('deepLinkArrived', listener),
  onNotificationClicked: (listener) => listen('notificationClicked', listener),
  onScreenRequested: (listener) => listen('screenRequested', listener),
};

contextBridge.exposeInMainWorld('teahouse', bridge);
