import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { addressGroup } from '../address-group.ts';
import { setBounded } from '../bounded-map.ts';
import { Bucket } from '../bucket.ts';
import { LIMITS } from './limits.ts';

/**
 * Answers 429 with Retry-After where one address asks for more than an office that opens the app. The connection ends
 * with it, so that whoever goes on pays for a new one each time. `factor` widens the limit; 1 in production.
 */
export function limitRequests(
  app: FastifyInstance,
  addressOf: (request: IncomingMessage) => string,
  factor: number,
): void {
  const options = {
    perSecond: LIMITS.requestsPerAddressAndSecond.value * factor,
    burst: LIMITS.requestsOfAddressAtOnce.value * factor,
    longestWaitMs: LIMITS.longestWaitMs.value,
  };
  const buckets = new Map<string, Bucket>();
  app.addHook('onRequest', (request, reply, next) => {
    const group = addressGroup(addressOf(request.raw));
    const now = performance.now();
    const bucket = buckets.get(group) ?? new Bucket(options, now);
    // To the end: whoever was quiet longest is forgotten first.
    buckets.delete(group);
    setBounded(buckets, group, bucket, LIMITS.addresses.value);
    bucket.spend(0, now);
    const isOver = bucket.waitMs() > 0;
    bucket.spend(1, now);
    if (!isOver) return next();
    // Not through the framework: refusing is to cost less than serving.
    reply.hijack();
    const retryAfter = Math.ceil(bucket.waitMs() / 1000);
    reply.raw.writeHead(429, { 'Retry-After': retryAfter, 'Content-Length': 0, Connection: 'close' });
    reply.raw.end();
  });
}
