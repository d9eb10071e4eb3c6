import { expect, test } from 'vitest';
import type { Plan } from '../../domain/plan.ts';
import type { DesiredReplica } from './desired.ts';
import { expectPrograms, missingPrograms } from './missing-programs.ts';

function wanting(machine: string): DesiredReplica[] {
  const missing = { program: 'llama-server', machine };
  return [{ deployment: { name: 'kimi' }, replica: 0, missing } as unknown as DesiredReplica];
}

test.each([
  ['local', 'this machine'],
  ['ssh://opc@a10', 'opc@a10'],
])('a program that is missing on %s is said to be missing on %s', (machine, title) => {
  const message = `The program llama-server is not on ${title}; kimi needs it.`;
  const plan = { actions: [] } as unknown as Plan;
  expect(missingPrograms(plan, wanting(machine), []).map((one) => one.message)).toEqual([message]);
  expect(() => expectPrograms(wanting(machine))).toThrow(message);
});
