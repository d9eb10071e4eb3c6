import { expect, test } from 'vitest';
import { createOwed } from './owed.ts';

/** A store that counts as a script is run: by the name of its batch once, however often it is told. */
function store() {
  const counts = new Map<string, number>();
  const batches = new Set<string>();
  let answers = true;
  let reaches = true;
  return {
    counts,
    set: (state: { answers: boolean; reaches: boolean }) => void ({ answers, reaches } = state),
    run: async (_script: string, [batch = '', ...keys]: readonly string[], args: readonly string[]) => {
      if (!reaches) throw new Error('There is no connection.');
      if (!batches.has(batch))
        keys.forEach((key, i) => counts.set(key, (counts.get(key) ?? 0) + Number(args[2 * i])));
      batches.add(batch);
      if (!answers) throw new Error('No answer in time.');
      return 1;
    },
  };
}

test('what is owed is summed up, told once the store is there, and then owed no more', async () => {
  const { counts, run, set } = store();
  const owed = createOwed(run, (id) => `told:${id}`);
  set({ reaches: false, answers: true });
  owed.add('a', 10, 60);
  owed.add('b', 0.5, 60);
  await owed.tell();
  owed.add('a', 7, 60);
  await owed.tell();
  expect([...counts]).toEqual([]);
  set({ reaches: true, answers: true });
  await owed.tell();
  await owed.tell();
  await owed.tell();
  expect([...counts]).toEqual([
    ['a', 17],
    ['b', 0.5],
  ]);
});

test('a store that takes what is owed and does not answer counts it once, and what is gathered meanwhile too', async () => {
  const { counts, run, set } = store();
  const owed = createOwed(run, (id) => `told:${id}`);
  owed.add('a', 10, 60);
  set({ reaches: true, answers: false });
  await owed.tell();
  owed.add('a', 5, 60);
  await owed.tell();
  set({ reaches: true, answers: true });
  await owed.tell();
  await owed.tell();
  expect([...counts]).toEqual([['a', 15]]);
});
