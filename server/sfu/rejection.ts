import { errors } from 'mediasoup';
import { ProtocolError } from '../../protocol/errors.ts';

/**
 * Runs a mediasoup request and turns what it throws into an error that may cross the wire: `unavailable` if the worker
 * is gone, else `media_rejected`. mediasoup's own texts can repeat what the client sent, so they are not passed on.
 */
export async function refusing<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    if (error instanceof errors.WorkerClosedError) {
      throw new ProtocolError('unavailable', 'the media server restarted; join again');
    }
    throw new ProtocolError('media_rejected', `${what} was rejected`);
  }
}
