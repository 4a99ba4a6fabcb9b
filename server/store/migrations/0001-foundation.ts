import { sql, type CreateTableBuilder, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../migrate.ts';

/** Accounts, devices and their keys, message queues. */
export function foundation(kind: StoreKind): Migration {
  const bytes = kind === 'postgres' ? sql`bytea` : sql`blob`;
  // Words are compared byte by byte, so that a prefix is a range of the index on both databases.
  const word = kind === 'postgres' ? sql`text collate "C"` : sql`text`;
  const keyed = <T extends CreateTableBuilder<string, string>>(table: T) =>
    // Rows of these tables are found by their primary key alone; SQLite then needs no second tree for them.
    kind === 'sqlite' ? table.modifyEnd(sql`without rowid`) : table;

  return {
    async up(db: Kysely<unknown>) {
      const tables = [
        keyed(
          db.schema
            .createTable('counters')
            .addColumn('name', 'text', (c) => c.primaryKey())
            .addColumn('value', 'bigint', (c) => c.notNull()),
        ),
        db.schema
          .createTable('accounts')
          .addColumn('user_id', 'text', (c) => c.primaryKey())
          .addColumn('username', 'text', (c) => c.notNull().unique())
          .addColumn('display_name', 'text', (c) => c.notNull())
          .addColumn('sort_name', word, (c) => c.notNull())
          .addColumn('role', 'text', (c) => c.notNull())
          .addColumn('password_hash', 'text', (c) => c.notNull())
          .addColumn('account_key', 'text', (c) => c.notNull())
          .addColumn('created_at', 'bigint', (c) => c.notNull()),
        keyed(
          db.schema
            .createTable('account_words')
            .addColumn('word', word, (c) => c.notNull())
            .addColumn('user_id', 'text', (c) => c.notNull().references('accounts.user_id').onDelete('cascade'))
            .addPrimaryKeyConstraint('account_words_key', ['word', 'user_id']),
        ),
        db.schema
          .createTable('sessions')
          .addColumn('session_id', 'text', (c) => c.primaryKey())
          .addColumn('token_hash', 'text', (c) => c.notNull().unique())
          .addColumn('user_id', 'text', (c) => c.notNull().references('accounts.user_id').onDelete('cascade'))
          .addColumn('device_id', 'integer')
          .addColumn('client', 'text', (c) => c.notNull())
          .addColumn('created_at', 'bigint', (c) => c.notNull())
          .addColumn('last_seen_at', 'bigint', (c) => c.notNull()),
        db.schema
          .createTable('invitations')
          .addColumn('token_hash', 'text', (c) => c.primaryKey())
          .addColumn('role', 'text', (c) => c.notNull())
          .addColumn('created_by', 'text', (c) => c.references('accounts.user_id').onDelete('set null'))
          .addColumn('request_id', 'text')
          .addColumn('created_at', 'bigint', (c) => c.notNull())
          .addColumn('expires_at', 'bigint', (c) => c.notNull())
          .addColumn('used_by', 'text')
          .addColumn('used_at', 'bigint'),
        db.schema
          .createTable('device_lists')
          .addColumn('user_id', 'text', (c) => c.primaryKey().references('accounts.user_id').onDelete('cascade'))
          .addColumn('version', 'bigint', (c) => c.notNull())
          .addColumn('account_key', 'text', (c) => c.notNull())
          .addColumn('payload', 'text', (c) => c.notNull())
          .addColumn('signature', 'text', (c) => c.notNull()),
        db.schema
          .createTable('devices')
          .addColumn('user_id', 'text', (c) => c.notNull().references('accounts.user_id').onDelete('cascade'))
          .addColumn('device_id', 'integer', (c) => c.notNull())
          .addColumn('registration_id', 'integer', (c) => c.notNull())
          .addColumn('identity_key', 'text', (c) => c.notNull())
          .addColumn('authentication_key', 'text', (c) => c.notNull())
          .addColumn('signed_prekey_id', 'integer', (c) => c.notNull())
          .addColumn('signed_prekey', 'text', (c) => c.notNull())
          .addColumn('signed_prekey_signature', 'text', (c) => c.notNull())
          .addColumn('signed_prekey_at', 'bigint', (c) => c.notNull())
          .addColumn('added_at', 'bigint', (c) => c.notNull())
          .addPrimaryKeyConstraint('devices_key', ['user_id', 'device_id']),
        keyed(
          db.schema
            .createTable('prekeys')
            .addColumn('user_id', 'text', (c) => c.notNull())
            .addColumn('device_id', 'integer', (c) => c.notNull())
            .addColumn('key_id', 'integer', (c) => c.notNull())
            .addColumn('public_key', 'text', (c) => c.notNull())
            .addPrimaryKeyConstraint('prekeys_key', ['user_id', 'device_id', 'key_id'])
            .addForeignKeyConstraint(
              'prekeys_device',
              ['user_id', 'device_id'],
              'devices',
              ['user_id', 'device_id'],
              (c) => c.onDelete('cascade'),
            ),
        ),
        db.schema
          .createTable('link_requests')
          .addColumn('user_id', 'text', (c) => c.notNull().references('accounts.user_id').onDelete('cascade'))
          .addColumn('device_id', 'integer', (c) => c.notNull())
          .addColumn('session_id', 'text', (c) => c.notNull().references('sessions.session_id').onDelete('cascade'))
          .addColumn('device', 'text', (c) => c.notNull())
          .addColumn('requested_at', 'bigint', (c) => c.notNull())
          .addColumn('expires_at', 'bigint', (c) => c.notNull())
          .addPrimaryKeyConstraint('link_requests_key', ['user_id', 'device_id']),
        db.schema
          .createTable('messages')
          // "integer", not "bigint": in SQLite only that makes the column the row's own number.
          .addColumn('position', kind === 'postgres' ? 'bigint' : 'integer', (c) => c.primaryKey())
          .addColumn('message_id', 'text', (c) => c.notNull())
          .addColumn('sender_user_id', 'text', (c) => c.notNull())
          .addColumn('sender_device_id', 'integer', (c) => c.notNull())
          .addColumn('payload', bytes, (c) => c.notNull()),
        keyed(
          db.schema
            .createTable('queue')
            .addColumn('user_id', 'text', (c) => c.notNull())
            .addColumn('device_id', 'integer', (c) => c.notNull())
            .addColumn('position', 'bigint', (c) => c.notNull())
            .addColumn('key_type', 'text', (c) => c.notNull())
            .addColumn('key_body', bytes, (c) => c.notNull())
            .addPrimaryKeyConstraint('queue_key', ['user_id', 'device_id', 'position']),
        ),
        keyed(
          db.schema
            .createTable('idempotency')
            .addColumn('scope', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('method', 'text', (c) => c.notNull())
            .addColumn('result', 'text', (c) => c.notNull())
            .addColumn('created_at', 'bigint', (c) => c.notNull())
            .addPrimaryKeyConstraint('idempotency_key', ['scope', 'id']),
        ),
      ];
      for (const table of tables) await table.execute();

      const indexes = [
        ['accounts', ['sort_name', 'user_id']],
        ['account_words', ['user_id']],
        ['sessions', ['user_id']],
        ['invitations', ['request_id']],
        ['link_requests', ['session_id']],
        ['queue', ['position']],
      ] as const;
      for (const [table, columns] of indexes) {
        await db.schema
          .createIndex(`${table}_by_${columns[0]}`)
          .on(table)
          .columns([...columns])
          .execute();
      }
    },
  };
}
