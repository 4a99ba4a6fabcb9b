import type { Envelope } from '../../protocol/chat.ts';
import * as wire from '../../protocol/chat.ts';
import type { DeviceId, MessageId, UserId } from '../../protocol/ids.ts';
import type { Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import type { ChatChanges, ReceiveOutcome, Vault } from '../crypto/vault.ts';
import { Inbox } from '../modules/chat/inbox.ts';
import type { DeviceLists } from '../modules/chat/device-lists.ts';
import { OfflineError } from '../net/connection.ts';
import type { Connection } from '../net/connection.ts';

type Page = ResultOf<typeof wire.pending>;

const NOTHING: ChatChanges = { messages: [], removed: [], conversations: [] };

/** An inbox with a vault that takes everything, and a server that answers `chat.pending` as a test says. */
export class QueueLine {
  readonly asked: ParamsOf<typeof wire.pending>[] = [];
  readonly received: number[] = [];
  readonly acknowledged: number[] = [];
  readonly inbox: Inbox;

  constructor(answer: (asked: ParamsOf<typeof wire.pending>) => Page | 'lost') {
    const request = async (method: Method, params: object): Promise<unknown> => {
      if (method.name === wire.acknowledge.name) {
        this.acknowledged.push(...(params as ParamsOf<typeof wire.acknowledge>).queueIds);
        return {};
      }
      this.asked.push(params as ParamsOf<typeof wire.pending>);
      const page = answer(params as ParamsOf<typeof wire.pending>);
      if (page === 'lost') throw new OfflineError('lost');
      return page;
    };
    const receive = async ({ envelopes }: Parameters<Vault['receive']>[0]): Promise<ReceiveOutcome> => {
      const acknowledge = envelopes.map(({ queueId }) => queueId);
      this.received.push(...acknowledge);
      return {
        acknowledge,
        arrived: [],
        refused: [],
        costly: [],
        held: [],
        dropped: 0,
        needLists: null,
        changes: NOTHING,
      };
    };
    this.inbox = new Inbox({
      connection: { state: { kind: 'online' }, request } as unknown as Connection,
      vault: { receive } as unknown as Vault,
      lists: {} as unknown as DeviceLists,
      received: () => undefined,
      report: (error) => {
        throw error;
      },
    });
  }
}

/** An envelope that only its place in the queue is looked at of. */
export function envelopeAt(queueId: number): Envelope {
  const sender = { userId: 'somebody' as UserId, deviceId: 1 as DeviceId };
  return { queueId, messageId: `message ${queueId}` as MessageId, sender, position: queueId } as Envelope;
}
