import { expect, test } from 'vitest';
import { describeCall, peerOf } from './describe.ts';
import { ADA, BEN, CAI, call, participant, personOf } from './testing/calls.ts';

test('a call rings under the name of who asked, not of who began it', () => {
  const people = [participant(BEN, 'joined'), participant(CAI, 'joined'), participant(ADA, 'ringing', { rungBy: CAI })];
  const { from, others } = describeCall(call(3, people, { startedBy: BEN }), ADA, personOf);
  expect(from.userId).toBe(CAI);
  expect(others.map(({ userId }) => userId)).toEqual([BEN]);
});

test('who has left is not named as being in the call', () => {
  const people = [participant(BEN, 'left'), participant(CAI, 'joined'), participant(ADA, 'ringing', { rungBy: CAI })];
  expect(describeCall(call(3, people, { startedBy: BEN }), ADA, personOf).others).toEqual([]);
});

test('a call that one began and left rings under the name of who asks one back', () => {
  const people = [participant(ADA, 'ringing', { rungBy: CAI }), participant(BEN, 'left'), participant(CAI, 'joined')];
  expect(peerOf(call(3, people, { startedBy: ADA }), ADA)).toBe(CAI);
});

test('a call of one’s own belongs to the first one asked', () => {
  const people = [participant(ADA, 'joined', { rungBy: null }), participant(BEN, 'ringing', { rungBy: ADA })];
  expect(peerOf(call(1, people, { startedBy: ADA }), ADA)).toBe(BEN);
});

test('somebody who is not in the call is not believed to have asked', () => {
  const people = [participant(BEN, 'joined'), participant(ADA, 'ringing', { rungBy: CAI })];
  expect(peerOf(call(1, people, { startedBy: BEN }), ADA)).toBe(BEN);
});

test('of an older server: the starter while in the call, then whoever is', () => {
  const people = (starter: 'joined' | 'left') => [
    participant(BEN, starter),
    participant(CAI, 'joined'),
    participant(ADA, 'ringing'),
  ];
  expect(peerOf(call(2, people('joined'), { startedBy: BEN }), ADA)).toBe(BEN);
  expect(peerOf(call(3, people('left'), { startedBy: BEN }), ADA)).toBe(CAI);
});
