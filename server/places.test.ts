import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Places } from './places.ts';

const places = (total: number, ofGroup = Infinity) => new Places<string>({ total, ofGroup: () => ofGroup });

it('whoever takes many places pushes out their own, and not who has one', () => {
  const all = places(10);
  expect(all.enter('honest', 'home')).toBeNull();
  const lost: (string | null)[] = [];
  for (let i = 0; i < 1000; i++) lost.push(all.enter(`attacker ${i}`, `bot ${i % 3}`));
  expect(all.has('honest')).toBe(true);
  expect(all.size).toBe(10);
  expect(lost.filter((name) => name !== null)).toHaveLength(991);
});

it('a newcomer finds a place however many are taken, and keeps it while others come', () => {
  const all = places(10);
  for (let i = 0; i < 1000; i++) all.enter(`attacker ${i}`, `bot ${i % 3}`);
  expect(all.enter('honest', 'home')).toMatch(/^attacker/);
  for (let i = 1000; i < 2000; i++) all.enter(`attacker ${i}`, `bot ${i % 3}`);
  expect(all.has('honest')).toBe(true);
});

it('a group that has its share loses its oldest, while there is room for others', () => {
  const all = places(10, 2);
  expect(['a', 'b', 'c', 'd'].map((name) => all.enter(name, 'office'))).toEqual([null, null, 'a', 'b']);
  expect(all.enter('e', 'home')).toBeNull();
  expect([...all]).toEqual(['c', 'd', 'e']);
});

it('where all groups are equal, the one that came first goes', () => {
  const all = places(2);
  expect([all.enter('a', '1'), all.enter('b', '2'), all.enter('c', '3')]).toEqual([null, null, 'a']);
});

it('who is here already takes no second place, and whoever left has none', () => {
  const all = places(2);
  expect([all.enter('a', '1'), all.enter('a', '1'), all.size]).toEqual([null, null, 1]);
  all.leave('a');
  all.leave('a');
  expect([all.has('a'), all.size, all.groupOf('a')]).toEqual([false, 0, undefined]);
});

it('whoever was heard of lately is not the oldest', () => {
  const all = places(2);
  all.enter('a', '1');
  all.enter('b', '1');
  all.renew('a');
  all.renew('nobody');
  expect([all.enter('c', '1'), [...all]]).toEqual(['b', ['a', 'c']]);
});

it('as a plain count of everybody says, whatever comes and goes', () => {
  const step = fc.record({ item: fc.nat(30), group: fc.nat(4), leaves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, total) => {
      const all = places(total, 5);
      let model: { name: string; group: string }[] = [];
      for (const { item, group, leaves } of steps) {
        const [name, own] = [`${item}`, `g${group}`];
        if (leaves) {
          all.leave(name);
          model = model.filter((other) => other.name !== name);
        } else if (!model.some((other) => other.name === name)) {
          model.push({ name, group: own });
          const count = (of: string) => model.filter((other) => other.group === of).length;
          const most = Math.max(...model.map((other) => count(other.group)));
          const lost = all.enter(name, own);
          const left = model.find((other) => other.name === lost);
          if (count(own) > 5) expect(left?.group).toBe(own);
          else if (model.length > total) expect(count(left?.group ?? '')).toBe(most);
          else expect(lost).toBeNull();
          if (left) expect(model.find((other) => other.group === left.group)?.name, 'the oldest of it').toBe(lost);
          model = model.filter((other) => other !== left);
        }
        expect([...all]).toEqual(model.map((other) => other.name));
      }
    }),
    { numRuns: 200 },
  );
});
