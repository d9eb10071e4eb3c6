import type { Engine } from '../engines/contract.ts';
import { engineOf, engines } from '../engines/registry.ts';

/** Null for a kind that no engine here has, as that of a server which nobody knows. */
export function engineNamed(kind: string): Engine | null {
  return engines.some((engine) => engine.kind === kind) ? engineOf(kind) : null;
}

/** Variables that an engine takes no notice of, with what is meant. */
export function ignoredIn(kind: string, names: readonly string[]): { name: string; meant: string }[] {
  const engine = engineNamed(kind);
  return names.flatMap((name) => {
    const meant = engine?.meantVariable?.(name) ?? null;
    return meant === null ? [] : [{ name, meant }];
  });
}
