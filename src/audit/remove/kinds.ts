import { BerthError } from '../../domain/errors/berth-error.ts';
import { claim, deployment, runtime, service, statefulSet } from './cluster-objects.ts';
import { container } from './container.ts';
import type { Removable } from './contract.ts';
import { process } from './process.ts';
import { unit, userUnit } from './unit.ts';

/** Every kind of object that "berth remove" takes. */
export const removables: readonly Removable[] = [
  unit,
  userUnit,
  container,
  process,
  service,
  claim,
  deployment,
  statefulSet,
  runtime,
];

/** "unit:kimi-cpu.service". Throws USAGE. */
export function parseObject(text: string): { removable: Removable; name: string } {
  const at = text.indexOf(':');
  const removable = removables.find((one) => one.kind === text.slice(0, at));
  const name = text.slice(at + 1);
  if (at > 0 && removable && name !== '') return { removable, name };
  const detail = `"${text}" names no object; write it as ${removables.map((one) => one.example).join(', ')}.`;
  throw new BerthError('USAGE', { detail, command: 'remove' });
}

/** Throws where a file was kept by another version that knew more. */
export function removableOf(kind: string): Removable {
  const found = removables.find((one) => one.kind === kind);
  if (!found) throw new BerthError('USAGE', { detail: `berth does not know "${kind}".`, command: 'restore' });
  return found;
}
