import { isWrittenSecret, secretAssignments } from '../../domain/command-line/written-secret.ts';
import { inForce, valuesOf } from '../../targets/systemd/unit-text.ts';
import type { UnitText } from '../../targets/systemd/unit-text.ts';
import { unitWords } from './unit-words.ts';

/**
 * Variables that hold a secret in a unit's `Environment=`, or that its command line sets to one. systemd shows both to every user, be
 * the file as closed as it may; what comes from an `EnvironmentFile=` it does not show. Pure.
 */
export function unitSecrets(unit: UnitText): string[] {
  const set = ['Service', 'Container'].flatMap((section) =>
    inForce(valuesOf(unit, section, 'Environment')).flatMap((line) => unitWords(line)),
  );
  const named = set.flatMap((word) => {
    const at = word.indexOf('=');
    const [name, value] = [word.slice(0, at), word.slice(at + 1)];
    // "%d/key" is the path of a credential.
    return at > 0 && !value.startsWith('%') && isWrittenSecret(name, value) ? [name] : [];
  });
  const started = inForce(valuesOf(unit, 'Service', 'ExecStart')).flatMap(secretAssignments);
  return [...new Set([...named, ...started])];
}
