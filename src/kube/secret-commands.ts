import type { KubeMeta } from './object.ts';

/** How a person makes a Secret that `apply` will know for the fleet's own: one who applies files alone makes it beforehand. */
export function secretCommands({ name, namespace, labels }: KubeMeta, parts: readonly string[]): string {
  const place = namespace === undefined ? '' : ` -n ${namespace}`;
  const words = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    `kubectl create secret generic ${name}${place} ${parts.join(' ')}`,
    `kubectl label secret ${name}${place} ${words.join(' ')}`,
  ].join('; ');
}
