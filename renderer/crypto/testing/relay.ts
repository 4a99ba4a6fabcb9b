import type { Envelope, Recipient, send } from '../../../protocol/chat.ts';
import { DeviceList } from '../../../protocol/devices.ts';
import type { NewDevice, PrekeyBundle, SignedDeviceList } from '../../../protocol/devices.ts';
import type { DeviceAddress, UserId } from '../../../protocol/ids.ts';
import { MessageId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';

/** What the server does with keys and envelopes, in memory and without a wire. */
export class Relay {
  readonly lists = new Map<UserId, SignedDeviceList>();
  readonly #devices = new Map<string, { readonly device: NewDevice; readonly prekeys: NewDevice['prekeys'] }>();
  readonly #queues = new Map<string, Envelope[]>();
  readonly #accepted = new Map<string, number>();
  #position = 1_790_000_000_000_000;
  #queueId = 0;

  publish(device: NewDevice, list: SignedDeviceList): void {
    const { userId } = parseList(list);
    this.lists.set(userId, list);
    this.#devices.set(key({ userId, deviceId: device.deviceId }), { device, prekeys: [...device.prekeys] });
  }

  takeBundles(addresses: readonly DeviceAddress[]): PrekeyBundle[] {
    return addresses.flatMap((address) => {
      const known = this.#devices.get(key(address));
      if (known === undefined) return [];
      const { registrationId, identityKey, signedPrekey } = known.device;
      const prekey = known.prekeys.shift();
      return [{ ...address, registrationId, identityKey, signedPrekey, ...(prekey === undefined ? {} : { prekey }) }];
    });
  }

  /** Whether it is for exactly the devices on the newest lists. */
  fits(sender: DeviceAddress, { recipients }: Pick<ParamsOf<typeof send>, 'recipients'>): boolean {
    return recipients.every((recipient) => this.#fits(sender, recipient));
  }

  /** The position, or `stale`. */
  send(sender: DeviceAddress, params: ParamsOf<typeof send>): number | 'stale' {
    // As on the server, an id is the sending device's: another may use it too.
    const id = `${key(sender)} ${params.idempotencyId}`;
    const before = this.#accepted.get(id);
    if (before !== undefined) return before;
    if (!this.fits(sender, params)) return 'stale';
    const position = ++this.#position;
    this.#accepted.set(id, position);
    const messageId = MessageId.parse(params.idempotencyId);
    for (const { userId, keys } of params.recipients) {
      for (const { deviceId, ...wrapped } of keys) {
        const envelope = {
          queueId: ++this.#queueId,
          messageId,
          sender,
          position,
          payload: params.payload,
          key: wrapped,
        };
        this.queue({ userId, deviceId }).push(envelope);
      }
    }
    return position;
  }

  /** The envelopes that wait for a device; tests alter it as a hostile server would. */
  queue(address: DeviceAddress): Envelope[] {
    const queue = this.#queues.get(key(address)) ?? [];
    this.#queues.set(key(address), queue);
    return queue;
  }

  #fits(sender: DeviceAddress, { userId, listVersion, keys }: Recipient): boolean {
    const signed = this.lists.get(userId);
    if (signed === undefined) return false;
    const list = parseList(signed);
    const wanted = list.devices
      .map(({ deviceId }) => deviceId)
      .filter((id) => userId !== sender.userId || id !== sender.deviceId);
    const named = new Set(keys.map(({ deviceId }) => deviceId));
    return listVersion === list.version && wanted.length === named.size && wanted.every((id) => named.has(id));
  }
}

function parseList(signed: SignedDeviceList): DeviceList {
  return DeviceList.parse(JSON.parse(signed.payload));
}

function key({ userId, deviceId }: DeviceAddress): string {
  return `${userId}.${deviceId}`;
}
