import { z } from 'zod';
import { differenceLines, fieldDifferences } from '../domain/field-differences.ts';
import { parseJson } from '../domain/json.ts';
import { nameOfObject } from './kinds.ts';
import type { KubeObject } from './object.ts';

/** Objects as berth has sent them, kept beside the mark: so a later version tells its own changes from those of others. */
const Written = z.array(
  z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string() }),
  }),
);

export function writtenText(objects: readonly KubeObject[]): string {
  return JSON.stringify(objects);
}

/** Null where nothing was kept, as by older versions. */
export function readWritten(text: string | null | undefined): KubeObject[] | null {
  const found = typeof text === 'string' ? Written.safeParse(parseJson(text)).data : undefined;
  // Berth has written them itself, with all that such an object has.
  return (found as KubeObject[] | undefined) ?? null;
}

/** What this version of berth would send otherwise, line by line. Pure. */
export function otherLines(written: readonly KubeObject[], now: readonly KubeObject[]): string[] {
  const names = [...new Set([...written, ...now].map(nameOfObject))];
  return names.flatMap((name) => {
    const before = written.find((one) => nameOfObject(one) === name);
    const after = now.find((one) => nameOfObject(one) === name);
    if (!before) return [`${name}: + the whole object`];
    if (!after) return [`${name}: - the whole object`];
    return differenceLines(name, fieldDifferences(before, after));
  });
}
