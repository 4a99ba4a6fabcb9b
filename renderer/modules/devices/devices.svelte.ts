import * as wire from '../../../protocol/devices.ts';
import type { ListedDevice } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { ListChange, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer, retrying } from '../../net/retrying.ts';
import { isLinked } from '../../net/when-online.ts';
import { LinkRequests } from './link-requests.ts';
import type { DevicesController, LinkRequestView, OwnDevice } from './model.ts';
import { PrekeyUpkeep } from './prekey-upkeep.ts';

/** How often an app that stays open looks whether its list is due to be signed anew. Milliseconds. */
const RENEW_CHECK_MS = 12 * 60 * 60 * 1000;

export interface DevicesDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  /** Sends what the vault has put into the outbox. */
  readonly sendWaiting: () => Promise<void>;
  readonly report: (error: unknown) => void;
}

/** Own devices: the verified list, requests to be linked, and the upkeep of this device's prekeys. */
export class Devices implements DevicesController {
  devices: readonly OwnDevice[] = $state.raw([]);
  linkRequests: readonly LinkRequestView[] = $state.raw([]);
  readonly #deps: DevicesDependencies;
  readonly #requests: LinkRequests;
  readonly #prekeys: PrekeyUpkeep;
  #own: { readonly userId: UserId; readonly deviceId: DeviceId } | null = null;
  #renewTimer: ReturnType<typeof setInterval> | undefined;

  constructor(deps: DevicesDependencies) {
    this.#deps = deps;
    const { connection, vault } = deps;
    this.#requests = new LinkRequests(vault);
    this.#prekeys = new PrekeyUpkeep(connection, vault, deps.report);
    connection.on(wire.linkRequested, ({ request }) => this.#showRequests(() => this.#requests.add(request)));
    connection.on(wire.prekeysLow, ({ remaining }) =>
      this.#own === null ? undefined : this.#prekeys.check(remaining),
    );
    connection.on(wire.listChanged, ({ userId }) => (userId === this.#own?.userId ? this.#refresh() : undefined));
    connection.onResync(() => this.#resynchronise());
  }

  async load(own: { readonly userId: UserId; readonly deviceId: DeviceId }): Promise<void> {
    this.#own = own;
    clearInterval(this.#renewTimer);
    this.#renewTimer = setInterval(() => void this.#renew(), RENEW_CHECK_MS);
    await this.#show();
  }

  clear(): void {
    this.#own = null;
    clearInterval(this.#renewTimer);
    this.#requests.clear();
    this.#prekeys.clear();
    this.devices = [];
    this.linkRequests = [];
  }

  async approve({ code }: LinkRequestView): Promise<void> {
    const device = this.#requests.find(code);
    if (device === undefined) throw new ProtocolError('link_request_gone', 'the request to be linked has ended');
    const add = { ...device, addedAt: Date.now() };
    try {
      await this.#changeList(() => this.#deps.vault.changeOwnList({ add, code }));
    } catch (error) {
      if (!ProtocolError.is(error, 'device_unknown')) throw error;
      throw new ProtocolError('link_request_gone', 'the server does not have the request any more');
    }
    await this.#showRequests(async () => this.#requests.remove(code));
  }

  async remove(deviceId: DeviceId): Promise<void> {
    await this.#changeList(() => this.#deps.vault.changeOwnList({ remove: deviceId }));
  }

  /** On the newest list; should another device have changed it in between, once more on the newer one. */
  async #changeList(sign: () => Promise<ListChange | null>): Promise<void> {
    const { connection } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      await retrying(connection, () => this.#fetchOwn());
      const change = await sign();
      if (change === null) return;
      try {
        await retrying(connection, () => connection.request(wire.publishList, change));
        break;
      } catch (error) {
        if (!ProtocolError.is(error, 'device_list_outdated') || attempt > 1) throw error;
      }
    }
    await this.#refresh();
  }

  async #resynchronise(): Promise<void> {
    const { connection } = this.#deps;
    if (this.#own === null || !isLinked(connection)) return;
    await this.#refresh();
    const { requests } = await connection.request(wire.linkRequests, {});
    await this.#showRequests(() => this.#requests.replace(requests));
    const { remaining } = await connection.request(wire.prekeyStatus, {});
    await this.#prekeys.check(remaining);
    await this.#renew();
  }

  /** A list that is signed anew now and then cannot be held back unseen. That it fails once stops nothing else. */
  async #renew(): Promise<void> {
    const { connection, vault, report } = this.#deps;
    if (this.#own === null || !isLinked(connection)) return;
    try {
      if ((await vault.renewOwnList()) !== null) await this.#changeList(() => vault.renewOwnList());
    } catch (error) {
      if (!isLostAnswer(error)) report(error);
    }
  }

  async #refresh(): Promise<void> {
    await this.#fetchOwn();
    await this.#show();
    // To a device that was linked: what this one has pinned.
    await this.#deps.sendWaiting();
  }

  async #fetchOwn(): Promise<void> {
    if (this.#own === null) return;
    const asked = [this.#own.userId];
    const { lists } = await this.#deps.connection.request(wire.lists, { users: asked });
    await this.#deps.vault.updateLists({ lists, asked });
  }

  async #show(): Promise<void> {
    const { devices } = await this.#deps.vault.ownDevices();
    this.devices = devices.map((device) => this.#view(device));
  }

  #view(device: ListedDevice): OwnDevice {
    const { deviceId, name, addedAt } = device;
    return { deviceId, name, addedAt, current: deviceId === this.#own?.deviceId };
  }

  /** Only a device that can sign the list has anything to decide. */
  async #showRequests(change: () => Promise<void>): Promise<void> {
    if (this.#own === null) return;
    const { canSign } = await this.#deps.vault.ownDevices();
    if (!canSign) return;
    await change();
    this.linkRequests = this.#requests.open;
  }
}
