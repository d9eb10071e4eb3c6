import { isMap, parseDocument } from 'yaml';
import { setField } from '../relocate/set-field.ts';

/*
 * What names a deployment in the fleet file besides routes: benchmarks and experiments. Where one takes the place of another, they
 * name that instead.
 */

interface FileShape {
  readonly benchmarks?: Record<string, { readonly of?: unknown } | null> | null;
  readonly experiments?: Record<
    string,
    { readonly arms?: Record<string, unknown>; readonly split?: readonly number[] } | null
  > | null;
  readonly gateway?: { readonly routes?: Record<string, unknown> | null } | null;
}

/** Benchmarks of `from` measure `to`, each deployment once. Pure. */
export function benchmarksOf(text: string, from: string, to: string): string {
  let edited = text;
  for (const [name, benchmark] of Object.entries(shapeOf(text).benchmarks ?? {})) {
    const of = benchmark?.of;
    const now = Array.isArray(of)
      ? [...new Set(of.map((one: unknown) => (one === from ? to : one)))]
      : of === from
        ? to
        : of;
    const same = Array.isArray(of) ? !of.includes(from) : now === of;
    if (!same) edited = setField(edited, ['benchmarks', name, 'of'], now);
  }
  return edited;
}

/**
 * Arms of `from` lead to `to`; two that do then are one, with the weight of both. An experiment that has but one arm left compares
 * nothing: it becomes a route of its name. Pure.
 */
export function experimentsOf(text: string, from: string, to: string): string {
  let edited = text;
  for (const [name, experiment] of Object.entries(shapeOf(text).experiments ?? {})) {
    const arms = Object.entries(experiment?.arms ?? {});
    if (!arms.some(([, deployment]) => deployment === from)) continue;
    const merged = armsOf(arms, experiment?.split ?? arms.map(() => 1), from, to);
    if (merged.length < 2) {
      const left = setField(edited, ['experiments', name], undefined);
      edited = withRoute(withoutEmpty(left, 'experiments'), name, to);
      continue;
    }
    edited = setField(
      edited,
      ['experiments', name, 'arms'],
      Object.fromEntries(merged.map((one) => [one.arm, one.deployment])),
    );
    if (experiment?.split || merged.length < arms.length)
      edited = setField(
        edited,
        ['experiments', name, 'split'],
        merged.map((one) => one.weight),
      );
  }
  return edited;
}

function armsOf(
  arms: readonly (readonly [string, unknown])[],
  split: readonly number[],
  from: string,
  to: string,
): { arm: string; deployment: unknown; weight: number }[] {
  const merged: { arm: string; deployment: unknown; weight: number }[] = [];
  for (const [at, [arm, stated]] of arms.entries()) {
    const deployment = stated === from ? to : stated;
    const same = deployment === to ? merged.find((one) => one.deployment === to) : undefined;
    if (same) same.weight += split[at] ?? 1;
    else merged.push({ arm, deployment, weight: split[at] ?? 1 });
  }
  return merged;
}

/** A name that clients ask for goes on to lead somewhere, where it does not already. Pure. */
export function withRoute(text: string, name: string, to: string): string {
  const document = parseDocument(text);
  if (isMap(document.getIn(['gateway', 'routes'], true)))
    return setField(text, ['gateway', 'routes', name], to);
  if (isMap(document.get('gateway', true))) return setField(text, ['gateway', 'routes'], { [name]: to });
  if (document.has('gateway')) return setField(text, ['gateway'], { routes: { [name]: to } });
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}gateway: {routes: {${name}: ${to}}}\n`;
}

function withoutEmpty(text: string, key: string): string {
  const value = (parseDocument(text).toJS() as Record<string, unknown> | null)?.[key];
  const empty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return empty ? setField(text, [key], undefined) : text;
}

function shapeOf(text: string): FileShape {
  return (parseDocument(text).toJS() ?? {}) as FileShape;
}
