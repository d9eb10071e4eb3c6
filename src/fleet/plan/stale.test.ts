import { expect, test } from 'vitest';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import { markHashes } from './stale.ts';

const object = { host: 'lab', target: 'kubernetes', id: 'deployment/a', name: 'a' };

function hashesOf(mark: object): string[] {
  const plan = { basis: { objects: [object] } } as unknown as Plan;
  return markHashes(plan, [{ object, mark: mark as Mark } as unknown as Instance]);
}

test('where an engine is reached comes and goes with its pods, and what was started is the same', () => {
  const mark = { deployment: 'a', port: 8000 };
  const before = hashesOf({ ...mark, reached: { address: '10.0.0.4', port: 8000 } });
  expect(hashesOf({ ...mark, reached: { address: '10.0.0.9', port: 8000 } })).toEqual(before);
  expect(hashesOf(mark)).toEqual(before);
  expect(hashesOf({ ...mark, port: 8001 })).not.toEqual(before);
});
