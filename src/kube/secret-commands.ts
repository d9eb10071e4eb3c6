import type { KubeMeta } from './object.ts';

/**
 * How a person makes a Secret that `apply` will know for the fleet's own: one who applies files alone makes it beforehand.
 * `texts` are its values as a shell writes them within double quotes. They go by a pipe: words of a command are shown to
 * everybody on the machine.
 */
export function secretCommands(
  { name, namespace, labels }: KubeMeta,
  texts: Readonly<Record<string, string>>,
): string {
  const place = namespace === undefined ? '' : ` -n ${namespace}`;
  const lines = Object.entries(texts).map(([key, text]) => `"${key}=${text}"`);
  const words = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    `printf '%s\\n' ${lines.join(' ')} | kubectl create secret generic ${name}${place} --from-env-file=/dev/stdin`,
    `kubectl label secret ${name}${place} ${words.join(' ')}`,
  ].join('; ');
}
