import { dismissExpired, expired } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId } from '../../../protocol/ids.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';

export interface MissedCounts {
  /** Messages that waited too long for this device and are gone. */
  readonly here: number;
  /** The same for the account's other devices together. */
  readonly elsewhere: number;
}

/** Whatever the server says in this time is asked about once. Milliseconds. */
const TOLD_MS = 1000;
const NONE: MissedCounts = { here: 0, elsewhere: 0 };

export interface MissedMessagesDependencies {
  readonly connection: Connection;
  /** Told of faults that nobody waits for. */
  readonly report: (error: unknown) => void;
}

/** What the server did not keep for the account's devices, until the person has read that. */
export class MissedMessages {
  readonly #deps: MissedMessagesDependencies;
  #devices: readonly DeviceId[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  counts: MissedCounts = $state.raw(NONE);

  constructor(deps: MissedMessagesDependencies) {
    this.#deps = deps;
  }

  /** Asks the server. Never rejects: what is not known now is asked the next time. */
  async refresh(): Promise<void> {
    const { connection, report } = this.#deps;
    try {
      const { devices } = await connection.request(expired, {});
      const own = connection.welcome?.deviceId;
      let [here, elsewhere] = [0, 0];
      for (const { deviceId, count } of devices) {
        if (deviceId === own) here += count;
        else elsewhere += count;
      }
      this.#devices = devices.map(({ deviceId }) => deviceId);
      this.counts = { here, elsewhere };
    } catch (error) {
      // An older server keeps everything, and has nothing to say.
      if (!isLostAnswer(error) && !ProtocolError.is(error, 'unknown_method')) report(error);
    }
  }

  /** The server has said that it changed. */
  told(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, TOLD_MS);
  }

  /** The person has read it. */
  async dismiss(): Promise<void> {
    for (const deviceId of this.#devices) await this.#deps.connection.request(dismissExpired, { deviceId });
    this.#devices = [];
    this.counts = NONE;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#devices = [];
    this.counts = NONE;
  }
}
