import type { UnitText } from './unit-text.ts';

export interface UnitDifference {
  /** "Service.Restart". */
  readonly field: string;
  /** Null: it is not there. Values of a key that stands several times are joined. */
  readonly marked: string | null;
  readonly live: string | null;
}

/** In which keys two texts differ, whatever their order. Pure. */
export function unitDifferences(marked: UnitText, live: UnitText): UnitDifference[] {
  const [before, now] = [valuesByKey(marked), valuesByKey(live)];
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((field) => {
    const [old, other] = [before.get(field) ?? [], now.get(field) ?? []];
    const gone = old.filter((value) => !other.includes(value));
    const come = other.filter((value) => !old.includes(value));
    if (gone.length + come.length === 0) return [];
    return [{ field, marked: joined(gone), live: joined(come) }];
  });
}

function joined(values: readonly string[]): string | null {
  return values.length === 0 ? null : values.join(' ');
}

function valuesByKey(unit: UnitText): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [section, keys] of unit)
    for (const [key, value] of keys) {
      const field = `${section}.${key}`;
      values.set(field, [...(values.get(field) ?? []), value]);
    }
  return values;
}
