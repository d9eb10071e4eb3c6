import { expect, test } from 'vitest';
import type { TallyRow } from '../../domain/experiment-tally.ts';
import { createLog } from '../../io/log.ts';
import { Trials } from './trials.ts';
import type { Trial } from './trials.ts';

function trial(client: string): Trial {
  return { experiment: 'e', measure: 'error_rate', deployment: 'a', client, ttft: null, tpot: null };
}

test('what is counted while the shared store is being told is told before the end', async () => {
  const told: string[][] = [];
  const answers: (() => void)[] = [];
  function tell({ rows }: { rows: readonly TallyRow[] }): Promise<void> {
    told.push([...new Set(rows.map(({ client }) => client))]);
    return new Promise((resolve) => answers.push(resolve));
  }
  const trials = new Trials(createLog({ level: 'error', json: false }), () => tell);
  trials.note(trial('first'), { status: 200, seconds: 1 });
  trials.tick(1000);
  trials.note(trial('second'), { status: 200, seconds: 1 });
  let over = false;
  const closed = trials.close().then(() => (over = true));
  answers.shift()?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect([told, over]).toEqual([[['first'], ['second']], false]);
  answers.shift()?.();
  await closed;
});
