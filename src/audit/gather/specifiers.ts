import { join } from 'node:path';
import { nameSpecifiers } from '../../domain/unit-names.ts';
import type { World } from '../../io/world.ts';
import type { Scope } from '../../targets/systemd/scope.ts';

/** What the percent signs of a unit file stand for, as far as it follows from the unit's name and its manager. */
export type Specifiers = Readonly<Record<string, string>>;

export function specifiersOf({ env }: Pick<World, 'env'>, scope: Scope['name'], unit: string): Specifiers {
  const home = scope === 'user' ? (env['HOME'] ?? '/') : '/root';
  const ofUser = {
    S: env['XDG_STATE_HOME'] ?? join(home, '.local/state'),
    C: env['XDG_CACHE_HOME'] ?? join(home, '.cache'),
    E: env['XDG_CONFIG_HOME'] ?? join(home, '.config'),
  };
  return {
    '%': '%',
    ...nameSpecifiers(unit),
    h: home,
    ...(scope === 'user' ? ofUser : { S: '/var/lib', C: '/var/cache', E: '/etc', L: '/var/log', t: '/run' }),
  };
}

/** What is not known stays, and shows. */
export function fillSpecifiers(text: string, specifiers: Specifiers): string {
  return text.replaceAll(/%(.)/gs, (whole, letter: string) => specifiers[letter] ?? whole);
}
