import * as wire from '../../../protocol/accounts.ts';
import type { Account, Role, Session } from '../../../protocol/accounts.ts';
import { delivered } from '../../../protocol/chat.ts';
import * as devicesWire from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { ParamsOf, ResultOf } from '../../../protocol/method.ts';
import type { DeviceId, SessionId } from '../../../protocol/ids.ts';
import type { Ownership } from '../../app/ownership.ts';
import type { Standing, Vault } from '../../crypto/vault.ts';
import type { Host } from '../../host/host.ts';
import type { Connection } from '../../net/connection.ts';
import { retrying } from '../../net/retrying.ts';
import { createAdministration } from './administration.ts';
import { HandOverInbox } from './hand-over.ts';
import type {
  AccountsController,
  AccountStage,
  AdministrationController,
  InvitationInfo,
  ResetInfo,
  SignInOutcome,
} from './model.ts';

/** How long a request to be linked lives on the server, in milliseconds. */
const LINK_MS = 10 * 60_000;
/** After this the person reads what may be the matter when nothing is handed over. Milliseconds. */
const HAND_OVER_LATE_MS = 30_000;

export interface AccountsDependencies {
  readonly host: Host;
  readonly connection: Connection;
  readonly vault: Vault;
  /** Starts the worker behind `vault`. */
  readonly startVault: () => void;
  /** Whether anything was ever stored on this device; asked before the vault is started. */
  readonly hasStorage: () => Promise<boolean>;
  readonly ownership: Ownership;
  /** Loads everything that is shown of the account, before the stage becomes `ready`. */
  readonly enter: (own: { readonly account: Account; readonly deviceId: DeviceId }) => Promise<void>;
  /** Clears it again. */
  readonly leave: () => void;
}

/** The stage machine of `model.ts`. */
export class Accounts implements AccountsController {
  stage: AccountStage = $state.raw({ kind: 'starting' });
  readonly administration: AdministrationController;
  readonly #deps: AccountsDependencies;
  readonly #handOver: HandOverInbox;
  /** The person signs out here, which ends the session as well. */
  #signingOut = false;
  #linkTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: AccountsDependencies) {
    this.#deps = deps;
    this.#handOver = new HandOverInbox(deps.connection, deps.vault);
    this.administration = createAdministration(deps);
    deps.connection.onState((state) => {
      if (state.kind !== 'ended') return;
      if (state.reason === 'replaced') this.lost({ replaced: true });
      else void this.#sessionEnded();
    });
    deps.connection.on(devicesWire.linked, () => this.#linkedElsewhere());
    deps.connection.on(delivered, ({ envelope }) => {
      // What others send waits; fetching the queue for each of it would let anybody keep this device busy.
      const isOwn = this.stage.kind === 'receiving' && envelope.sender.userId === this.stage.account.userId;
      return isOwn ? this.#receiveHandOver() : undefined;
    });
    deps.connection.onResync(() => this.#resynchronise());
  }

  /** Finds out where this device stands. Called once, at the start. */
  async begin(): Promise<void> {
    // A page without a secure context has neither locks nor ciphers.
    const owner = await this.#orFail(() => this.#deps.ownership.acquire());
    if (owner) await this.#open();
    else this.stage = { kind: 'elsewhere', replaced: false };
  }

  /** Another window has the keys now; `replaced`: another place has the connection. */
  lost({ replaced } = { replaced: false }): void {
    clearTimeout(this.#linkTimer);
    this.#deps.leave();
    this.stage = { kind: 'elsewhere', replaced };
  }

  async useHere(): Promise<void> {
    this.stage = { kind: 'starting' };
    await this.#deps.ownership.takeOver();
    await this.#open();
  }

  async checkInvitation(token: string): Promise<InvitationInfo> {
    return this.#ask(() => this.#deps.connection.request(wire.checkInvitation, { invitation: token }));
  }

  async signUp(input: {
    readonly invitation: string;
    readonly displayName: string;
    readonly username: string;
    readonly password: string;
  }): Promise<void> {
    const { vault, connection, host } = this.#deps;
    const { invitation, username, displayName, password } = input;
    const prepared = await vault.prepareSignUp({ invitation, username, displayName, deviceName: host.deviceName });
    try {
      const params = { ...prepared, invitation, username, displayName, password };
      const { account, session } = await this.#ask(() => signUpAt(connection, params));
      await this.#enter(await vault.signedIn({ account, session }));
    } catch (error) {
      // After `internal`, as after a lost answer, nobody knows whether the account is there: a repeat is the same request.
      if (!(error instanceof ProtocolError) || ProtocolError.is(error, 'internal')) throw error;
      await vault.signUpRefused();
      // An earlier attempt went through and its answer was lost for good: then these are its keys.
      if (error.code !== 'account_exists') throw error;
      if ((await this.signIn({ username, password })) !== 'signed-in') throw error;
    }
  }

  async signIn(input: {
    readonly username: string;
    readonly password: string;
    readonly replaceDevice?: boolean;
  }): Promise<SignInOutcome> {
    const { replaceDevice = false, ...credentials } = input;
    try {
      if (replaceDevice || !(await this.#signInAsDevice(credentials))) {
        await this.#signInToLink(credentials, replaceDevice);
      }
      return 'signed-in';
    } catch (error) {
      if (!ProtocolError.is(error, 'device_unknown')) throw error;
      // What the server says may be wrong, and keys that are given up are gone: the person decides.
      const held = await this.#deps.vault.deviceHeld(input.username);
      return held === 'key-holder' ? 'key-holder-unknown' : 'device-unknown';
    }
  }

  async signOut(): Promise<void> {
    this.#signingOut = true;
    try {
      // Offline, the token is forgotten here all the same; it can be revoked from any other session.
      await this.#deps.connection.request(wire.signOut, {}).catch(() => undefined);
      await this.#sessionEnded();
    } finally {
      this.#signingOut = false;
    }
  }

  async cancelLinking(): Promise<void> {
    clearTimeout(this.#linkTimer);
    await this.#deps.connection.request(wire.signOut, {}).catch(() => undefined);
    await this.#deps.vault.abandonLink();
    this.#welcome();
  }

  async changePassword(input: { readonly current: string; readonly password: string }): Promise<void> {
    await this.#ask(() => this.#deps.connection.request(wire.changePassword, input));
  }

  async checkReset(token: string): Promise<ResetInfo> {
    return this.#ask(() => this.#deps.connection.request(wire.checkReset, { reset: token }));
  }

  async completeReset(input: { readonly reset: string; readonly password: string }): Promise<void> {
    await this.#ask(() => this.#deps.connection.request(wire.completeReset, input));
  }

  async sessions(): Promise<readonly Session[]> {
    return (await this.#deps.connection.request(wire.sessions, {})).sessions;
  }

  async revokeSession(sessionId: SessionId): Promise<void> {
    await this.#ask(() => this.#deps.connection.request(wire.revokeSession, { sessionId }));
  }

  async endUnlinkedSessions(): Promise<void> {
    const sessions = await this.#ask(() => this.sessions());
    for (const { sessionId, deviceId, current } of sessions) {
      if (deviceId === null && !current) await this.revokeSession(sessionId);
    }
  }

  async createInvitations(input: {
    readonly count: number;
    readonly role: Role;
    readonly validHours: number;
  }): Promise<readonly string[]> {
    const { connection, host } = this.#deps;
    const params = { ...input, idempotencyId: newIdempotencyId() };
    const { invitations } = await this.#ask(() => connection.request(wire.createInvitations, params));
    const origin = await host.serverOrigin();
    return invitations.map((token) => `${origin}/#/join/${token}`);
  }

  async #open(): Promise<void> {
    const { host, vault, startVault, hasStorage } = this.#deps;
    await this.#orFail(async () => {
      // Who is new here can begin to write while the vault is being opened; whatever needs it waits for it.
      const isNew = !(await hasStorage());
      if (isNew) this.#welcome();
      startVault();
      const [origin, first] = await Promise.all([host.serverOrigin(), host.firstServerOrigin()]);
      if (origin === null) throw new Error('no server is known');
      const standing = await vault.open(host.secrets, { origin, first });
      if (!isNew || standing.kind !== 'empty') await this.#enter(standing);
    });
  }

  /** Without storage there is nothing to be done. */
  async #orFail<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      // What another window took away is no failure.
      if (this.stage.kind !== 'elsewhere') this.stage = { kind: 'storage-failed' };
      throw error;
    }
  }

  async #enter(standing: Standing, { ended } = { ended: false }): Promise<void> {
    if (standing.kind === 'empty') {
      this.#welcome();
    } else if (standing.kind === 'linking') {
      // The stage follows once the request has been made again: its code is worth nothing without.
      this.#connect(standing.session);
    } else if (standing.session === null) {
      this.stage = { kind: 'signed-out', username: standing.account.username, ended };
      this.#connect(null);
    } else {
      clearTimeout(this.#linkTimer);
      await this.#deps.enter(standing);
      this.stage = { kind: 'ready', account: standing.account };
      this.#connect(standing.session);
    }
  }

  #welcome(): void {
    this.stage = { kind: 'welcome' };
    this.#connect(null);
  }

  /** True if this device has keys of the account and the server took their proof. */
  async #signInAsDevice(input: { readonly username: string; readonly password: string }): Promise<boolean> {
    const { vault, connection } = this.#deps;
    const answer = await this.#ask(async () => {
      const challenge = connection.welcome?.challenge ?? '';
      const device = await vault.signInProof({ username: input.username, challenge });
      if (device === null) return null;
      return connection.request(wire.signIn, { ...input, device, idempotencyId: newIdempotencyId() });
    });
    if (answer === null) return false;
    await this.#enter(await vault.signedIn(answer));
    return true;
  }

  async #signInToLink(
    input: { readonly username: string; readonly password: string },
    replaceDevice: boolean,
  ): Promise<void> {
    const { vault, connection } = this.#deps;
    const params = { ...input, idempotencyId: newIdempotencyId() };
    const { account, session } = await this.#ask(() => connection.request(wire.signIn, params));
    await this.#enter(await vault.beginLink({ account, session, replaceDevice }));
  }

  /** Asks to be linked (again), or notices that it was, whenever the connection begins anew with a session. */
  async #resynchronise(): Promise<void> {
    const { connection, vault, host } = this.#deps;
    const { welcome } = connection;
    if (welcome === null || welcome.account === null || this.stage.kind === 'ready') return;
    if (welcome.deviceId !== null) {
      await this.#completeLink(welcome.account);
      return;
    }
    const { account } = welcome;
    if ((await vault.standing()).kind !== 'linking') return;
    const { lists } = await connection.request(devicesWire.lists, { users: [account.userId] });
    const [list] = lists;
    const link = list === undefined ? null : await vault.prepareLink({ deviceName: host.deviceName, list });
    if (link === null) {
      this.stage = { kind: 'link-refused' };
      return;
    }
    await connection.request(devicesWire.requestLink, { device: link.device, idempotencyId: link.idempotencyId });
    clearTimeout(this.#linkTimer);
    this.#linkTimer = setTimeout(() => void this.#resynchronise().catch(() => undefined), LINK_MS);
    this.stage = { kind: 'linking', account, code: link.code, expiresAt: Date.now() + LINK_MS };
  }

  async #linkSession(): Promise<string | null> {
    const standing = await this.#deps.vault.standing();
    return standing.kind === 'linking' ? standing.session : null;
  }

  async #linkedElsewhere(): Promise<void> {
    const session = await this.#linkSession();
    if (session !== null) this.#connect(session);
  }

  async #completeLink(account: Account): Promise<void> {
    const { connection, vault } = this.#deps;
    const { lists } = await connection.request(devicesWire.lists, { users: [account.userId] });
    const [list] = lists;
    const outcome = list === undefined ? null : await vault.completeLink(list);
    if (outcome?.kind === 'refused') {
      clearTimeout(this.#linkTimer);
      this.stage = { kind: 'link-refused' };
    } else if (outcome?.kind === 'linked') {
      await this.#awaitHandOver(account);
    }
  }

  /** On the list, but not let in before the approving device has handed over what it knows of people's keys. */
  async #awaitHandOver(account: Account): Promise<void> {
    if (this.stage.kind !== 'receiving') {
      this.stage = { kind: 'receiving', account, late: false };
      clearTimeout(this.#linkTimer);
      this.#linkTimer = setTimeout(() => {
        if (this.stage.kind === 'receiving') this.stage = { kind: 'receiving', account, late: true };
      }, HAND_OVER_LATE_MS);
    }
    await this.#receiveHandOver();
  }

  async #receiveHandOver(): Promise<void> {
    if (this.stage.kind !== 'receiving') return;
    const standing = await this.#handOver.receive(this.stage.account.userId);
    if (standing?.kind === 'ready' && this.stage.kind === 'receiving') await this.#enter(standing);
  }

  async #sessionEnded(): Promise<void> {
    const { vault, leave } = this.#deps;
    const ended = !this.#signingOut;
    await this.#orFail(async () => {
      await vault.signedOut();
      leave();
      await this.#enter(await vault.standing(), { ended });
    });
  }

  async #ask<T>(attempt: () => Promise<T>): Promise<T> {
    const { connection } = this.#deps;
    // The desktop app learns its server from the first link; nobody has tried to connect since.
    if (connection.state.kind === 'offline' && connection.state.retryAt === null) this.#connect(null);
    return retrying(connection, attempt);
  }

  /** How it ends shows in the connection's state. */
  #connect(session: string | null): void {
    this.#deps.connection.restart(session).catch(() => undefined);
  }
}

function newIdempotencyId(): IdempotencyId {
  return IdempotencyId.parse(crypto.randomUUID());
}

/** A server that is older than signed names takes the request without. */
async function signUpAt(
  connection: Connection,
  { profile, ...params }: ParamsOf<typeof wire.signUp>,
): Promise<ResultOf<typeof wire.signUp>> {
  try {
    return await connection.request(wire.signUp, { ...params, ...(profile && { profile }) });
  } catch (error) {
    if (profile === undefined || !ProtocolError.is(error, 'invalid_request')) throw error;
    return connection.request(wire.signUp, params);
  }
}
