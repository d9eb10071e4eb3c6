import { basename, join } from 'node:path';
import type { World } from '../../io/world.ts';
import type { Scope } from '../../targets/systemd/scope.ts';

/** What the percent signs of a unit file stand for, as far as it follows from the unit's name and its manager. */
export type Specifiers = Readonly<Record<string, string>>;

export function specifiersOf({ env }: Pick<World, 'env'>, scope: Scope['name'], unit: string): Specifiers {
  const name = unit.replace(/\.\w+$/, '');
  const at = name.indexOf('@');
  const [prefix, instance] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
  const home = scope === 'user' ? (env['HOME'] ?? '/') : '/root';
  const ofUser = {
    S: env['XDG_STATE_HOME'] ?? join(home, '.local/state'),
    C: env['XDG_CACHE_HOME'] ?? join(home, '.cache'),
    E: env['XDG_CONFIG_HOME'] ?? join(home, '.config'),
  };
  return {
    '%': '%',
    n: unit,
    N: name,
    p: prefix,
    P: unescapeName(prefix),
    i: instance,
    I: unescapeName(instance),
    j: prefix.slice(prefix.lastIndexOf('-') + 1),
    f: `/${unescapeName(instance === '' ? prefix : instance)}`,
    h: home,
    ...(scope === 'user' ? ofUser : { S: '/var/lib', C: '/var/cache', E: '/etc', L: '/var/log', t: '/run' }),
  };
}

/** What is not known stays, and shows. */
export function fillSpecifiers(text: string, specifiers: Specifiers): string {
  return text.replaceAll(/%(.)/gs, (whole, letter: string) => specifiers[letter] ?? whole);
}

/** "llama@.service" of "llama@kimi.service". */
export function templateOf(unit: string): string {
  return basename(unit).replace(/@[^@]*(\.\w+)$/, '@$1');
}

/** As systemd-escape writes them: "-" is a slash, and "\x2d" the character itself. */
function unescapeName(name: string): string {
  return name
    .replaceAll('-', '/')
    .replaceAll(/\\x([0-9a-f]{2})/gi, (_whole, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
}
