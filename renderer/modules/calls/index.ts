import { capabilities } from '../../../protocol/calls.ts';
import type { Host } from '../../host/host.ts';
import { LocalMedia } from '../../media/local-media.svelte.ts';
import { createMediasoupEngine } from '../../media/mediasoup-engine.ts';
import { createTones } from '../../media/tones.ts';
import type { Connection } from '../../net/connection.ts';
import type { ChatController } from '../chat/model.ts';
import type { ContactsController } from '../contacts/model.ts';
import { Calls } from './calls.svelte.ts';
import type { CallsController } from './model.ts';

export interface CallsOptions {
  readonly connection: Connection;
  readonly contacts: ContactsController;
  readonly chat: ChatController;
  readonly host: Host;
}

/** The calls of a real browser: its cameras and microphones, its WebRTC, its loudspeakers. */
export function createCalls(options: CallsOptions): CallsController {
  const { connection } = options;
  return new Calls({
    ...options,
    engine: createMediasoupEngine(async () => (await connection.request(capabilities, {})).routerRtpCapabilities),
    local: new LocalMedia({ devices: mediaDevices(), storage: choiceStorage() }),
    tones: createTones(),
  });
}

/** Undefined outside a secure context, whatever lib.dom says. */
function mediaDevices(): MediaDevices | undefined {
  return navigator.mediaDevices as MediaDevices | undefined;
}

function choiceStorage(): Storage | null {
  try {
    return localStorage;
  } catch {
    // The browser keeps storage shut for this page.
    return null;
  }
}
