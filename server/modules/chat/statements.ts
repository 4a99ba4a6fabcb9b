import type { Store } from '../../store/store.ts';

/** Of a copy that is deleted, before its message is: what is given back, and to whom. */
export const SENDER_OF_COPY = '(select sender_user_id from messages where messages.position = queue.position)';

/** The statements of every message's way, made once: an array as a parameter is PostgreSQL's, SQLite takes a JSON text. */
export function statements(kind: Store['kind']) {
  const among = (type: string, parameter: string) =>
    kind === 'postgres' ? `= any(${parameter}::${type}[])` : 'in (select value from json_each(?))';
  const [first, second] = kind === 'postgres' ? ['$1', '$2'] : ['?', '?'];
  return {
    use: `select user_id, device_id, bytes, messages, answers from queue_use where user_id ${among('text', '$1')}
      union all select '', 0, value, 0, 0 from counters where name = 'queued_bytes'`,
    acknowledge: `delete from queue where user_id = ${first} and device_id = ${second}
      and position ${among('bigint', '$3')} returning position, bytes, length(key_body) as key_bytes,
      ${SENDER_OF_COPY} as sender`,
    unqueued: `delete from messages where position ${among('bigint', '$1')}
      and not exists (select 1 from queue where queue.position = messages.position)
      returning sender_user_id as sender, length(payload) as bytes`,
  };
}
