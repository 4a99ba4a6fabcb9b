import { changed, publishProfile } from '../../../protocol/contacts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { MAX_PROFILE_BYTES, Profile, profileText, type SignedProfile } from '../../../protocol/profile.ts';
import type { Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import { verifyEd25519 } from '../devices/index.ts';
import type { ContactsDeps } from './index.ts';
import { personOf, PERSON_COLUMNS } from './person.ts';

/** What the server knows of the account, and the profile must say. */
interface Owner {
  readonly userId: UserId;
  readonly username: string;
  readonly displayName: string;
  readonly accountKey: string;
}

/** The columns of a profile that is the account's. Throws `profile_invalid`. */
export function profileColumns(signed: SignedProfile, owner: Owner) {
  const { version } = readProfile(signed, owner);
  return { profileVersion: version, profilePayload: signed.payload, profileSignature: signed.signature };
}

function readProfile(signed: SignedProfile, owner: Owner): Profile {
  const { accountKey, payload, signature } = signed;
  if (accountKey !== owner.accountKey) throw invalid('The profile is signed by another account key.');
  if (Buffer.byteLength(JSON.stringify(payload)) > MAX_PROFILE_BYTES) throw invalid('The profile is too long.');
  if (!verifyEd25519(accountKey, profileText(payload), signature)) throw invalid('The signature does not fit.');
  const parsed = Profile.safeParse(parseJson(payload));
  if (!parsed.success) throw invalid('The payload is not a profile.');
  const { userId, username, displayName } = parsed.data;
  if (userId !== owner.userId || username !== owner.username || displayName !== owner.displayName)
    throw invalid('The profile does not say what the account is called.');
  return parsed.data;
}

export function publishProfileMethod({ store, events, requireStanding }: ContactsDeps) {
  return register(publishProfile, {
    permission: 'device',
    limit: { requests: 20, seconds: 3600, by: 'account' },
    handle: async ({ profile }, { session }) => {
      const { userId } = session;
      const person = await store.transaction(async (trx) => {
        // Else people would hear of somebody who was just suspended as of one who is not.
        await requireStanding(trx, session);
        return (await replace(trx, userId, profile)) ? find(trx, userId) : null;
      });
      if (person) events.toEveryone(changed, { person });
      return {};
    },
  });
}

/** Whether it is another one than before. Throws `profile_invalid`, `profile_outdated`. */
async function replace(trx: Trx, userId: UserId, signed: SignedProfile): Promise<boolean> {
  const owner = await trx
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'accountKey', 'profilePayload', 'profileSignature'])
    .where('userId', '=', userId)
    .executeTakeFirstOrThrow();
  if (owner.profilePayload === signed.payload && owner.profileSignature === signed.signature) return false;
  const columns = profileColumns(signed, owner);
  // Of two at once the second is checked against the first.
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set(columns)
    .where('userId', '=', userId)
    .where((where) =>
      where.or([where('profileVersion', 'is', null), where('profileVersion', '<', columns.profileVersion)]),
    )
    .executeTakeFirst();
  if (numUpdatedRows === 0n)
    throw new ProtocolError('profile_outdated', 'There is a profile of this version or a newer one.');
  return true;
}

async function find(trx: Trx, userId: UserId) {
  const query = trx.selectFrom('accounts').select(PERSON_COLUMNS).where('userId', '=', userId);
  return personOf(await query.executeTakeFirstOrThrow());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(message: string): ProtocolError<'profile_invalid'> {
  return new ProtocolError('profile_invalid', message);
}
