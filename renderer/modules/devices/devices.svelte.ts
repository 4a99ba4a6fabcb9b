import * as wire from '../../../protocol/devices.ts';
import type { ListedDevice } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { ListChange, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { isLinked } from '../../net/when-online.ts';
import { LIMITS } from './limits.ts';
import { LinkRequests } from './link-requests.ts';
import type { DevicesController, LinkRequestView, OwnDevice } from './model.ts';
import { OwnListUpkeep } from './own-list-upkeep.ts';
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
  linkedAt: number | null = $state.raw(null);
  linkRequests: readonly LinkRequestView[] = $state.raw([]);
  listWithheld = $state(false);
  readonly #deps: DevicesDependencies;
  readonly #requests: LinkRequests;
  readonly #prekeys: PrekeyUpkeep;
  readonly #list: OwnListUpkeep;
  #own: { readonly userId: UserId; readonly deviceId: DeviceId } | null = null;
  #renewTimer: ReturnType<typeof setInterval> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** How often in a row the server was to be given a list, and still shows an older one. */
  #retries = 0;
  #expiryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: DevicesDependencies) {
    this.#deps = deps;
    const { connection, vault } = deps;
    this.#requests = new LinkRequests(vault);
    this.#prekeys = new PrekeyUpkeep(connection, vault, deps.report);
    this.#list = new OwnListUpkeep(connection, vault, deps.report);
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
    clearTimeout(this.#retryTimer);
    this.#retries = 0;
    this.#requests.clear();
    this.#prekeys.clear();
    this.devices = [];
    this.listWithheld = false;
    this.linkedAt = null;
    this.#showOpen();
  }

  async approve({ code }: LinkRequestView): Promise<void> {
    const device = this.#requests.find(code);
    if (device === undefined) throw new ProtocolError('link_request_gone', 'the request to be linked has ended');
    const { removed } = await this.#deps.vault.ownDevices();
    // It has not heard of it. Once it is cancelled there, it asks with new keys, as another device.
    if (removed.includes(device.deviceId)) throw new ProtocolError('device_removed_before', 'under its old id');
    const add = { ...device, addedAt: Date.now() };
    try {
      await this.#changeList(() => this.#deps.vault.changeOwnList({ add, code }));
    } catch (error) {
      if (!ProtocolError.is(error, 'device_unknown')) throw error;
      throw new ProtocolError('link_request_gone', 'the server does not have the request any more');
    }
    await this.#showRequests(async () => this.#requests.remove(code));
  }

  deny({ code }: LinkRequestView): void {
    this.#requests.deny(code);
    this.#showOpen();
  }

  async lookAgain(): Promise<void> {
    if (this.#own === null || !isLinked(this.#deps.connection)) return;
    try {
      await this.#fetchRequests();
    } catch (error) {
      if (!isLostAnswer(error)) this.#deps.report(error);
    }
  }

  async remove(deviceId: DeviceId): Promise<void> {
    await this.#changeList(() => this.#deps.vault.changeOwnList({ remove: deviceId }));
  }

  async #changeList(sign: () => Promise<ListChange>): Promise<void> {
    if (this.#own === null) return;
    try {
      await this.#list.change(this.#own.userId, sign);
    } catch (error) {
      // What was signed holds here, whether or not the server has taken it.
      const unpublished = await this.#show();
      if (!isLostAnswer(error)) this.listWithheld = unpublished;
      throw error;
    }
    await this.#shown();
  }

  async #resynchronise(): Promise<void> {
    const { connection } = this.#deps;
    if (this.#own === null || !isLinked(connection)) return;
    this.#list.again();
    await this.#refresh();
    await this.#fetchRequests();
    const { remaining } = await connection.request(wire.prekeyStatus, {});
    await this.#prekeys.check(remaining);
  }

  /** A list that is signed anew now and then cannot be held back unseen. That it fails once stops nothing else. */
  async #renew(): Promise<void> {
    const { connection, report } = this.#deps;
    if (this.#own === null || !isLinked(connection)) return;
    this.#list.again();
    try {
      await this.#refresh();
    } catch (error) {
      if (!isLostAnswer(error)) report(error);
    }
  }

  async #refresh(): Promise<void> {
    if (this.#own !== null) await this.#list.mend(this.#own.userId, () => this.#shown());
  }

  /** After the server was given what it lacks. */
  async #shown(): Promise<void> {
    this.listWithheld = await this.#show();
    // To a device that was linked: what this one has pinned.
    await this.#deps.sendWaiting();
  }

  /** Resolves to whether the server still has to be given a list. */
  async #show(): Promise<boolean> {
    const { devices, canSign, unpublished } = await this.#deps.vault.ownDevices();
    // Left meanwhile.
    if (this.#own === null) return false;
    this.devices = devices.map((device) => this.#view(device));
    this.linkedAt = canSign ? null : (this.devices.find(({ current }) => current)?.addedAt ?? null);
    clearTimeout(this.#retryTimer);
    this.#retries = unpublished ? this.#retries + 1 : 0;
    if (unpublished) this.#retryTimer = setTimeout(() => void this.#renew(), this.#retryMs());
    return unpublished;
  }

  #retryMs(): number {
    const { firstListRetry, lastListRetry } = LIMITS;
    return Math.min(firstListRetry.value * 2 ** (this.#retries - 1), lastListRetry.value);
  }

  async #fetchRequests(): Promise<void> {
    const { requests } = await this.#deps.connection.request(wire.linkRequests, {});
    await this.#showRequests(() => this.#requests.replace(requests));
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
    this.#showOpen();
  }

  /** Nothing comes from the server when a request has lasted its time: it is taken away by the clock. */
  #showOpen(): void {
    this.linkRequests = this.#requests.open;
    clearTimeout(this.#expiryTimer);
    if (this.linkRequests.length === 0) return;
    const next = Math.min(...this.linkRequests.map(({ expiresAt }) => expiresAt));
    this.#expiryTimer = setTimeout(() => this.#showOpen(), next - Date.now() + 1);
  }
}
