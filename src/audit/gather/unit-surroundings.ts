import type { ObservedUnit } from '../../domain/audit/observation.ts';
import { valuesOf } from '../../targets/systemd/unit-text.ts';
import type { UnitText } from '../../targets/systemd/unit-text.ts';

/** What a unit has to do with others: the network that it is in, whom it ends, and whether its manager gives it variables. Pure. */
export function surroundings(
  unit: UnitText,
  name: string,
  command: readonly string[],
): Pick<ObservedUnit, 'network' | 'conflicts' | 'inherits'> {
  const conflicts = valuesOf(unit, 'Unit', 'Conflicts').flatMap(words);
  const passed = valuesOf(unit, 'Service', 'PassEnvironment').flatMap(words);
  return { network: networkOf(unit, name, command), conflicts, inherits: passed.length > 0 };
}

/** A namespace by the file that it is kept as, or by the unit whose own it is. */
function networkOf(unit: UnitText, name: string, command: readonly string[]): string | null {
  const at = command.indexOf('netns');
  if (at > 0 && command[at + 1] === 'exec') return `/run/netns/${command[at + 2] ?? ''}`;
  const path = valuesOf(unit, 'Service', 'NetworkNamespacePath').at(-1) ?? '';
  if (path !== '') return path.replace(/^\/var\/run\//, '/run/');
  const own = /^(1|yes|y|true|t|on)$/i.test(valuesOf(unit, 'Service', 'PrivateNetwork').at(-1) ?? '');
  const [joined = name] = valuesOf(unit, 'Unit', 'JoinsNamespaceOf').flatMap(words);
  return own ? joined : null;
}

function words(value: string): string[] {
  return value.split(/\s+/).filter((word) => word !== '');
}
