import { fieldDifferences } from '../domain/field-differences.ts';
import type { Drift } from '../targets/contract.ts';
import { markAnnotation } from './names.ts';

/** What the cluster itself writes, or two questions a moment apart differ in. */
const own = new Set([
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.uid',
  'metadata.creationTimestamp',
  'metadata.annotations.deployment.kubernetes.io/revision',
  // What is compared with: it cannot differ from itself but in how it is written.
  `metadata.annotations.${markAnnotation}`,
  'status',
]);

/** In what a live object differs from how berth would have it. Pure. */
export function differencesOf(live: unknown, wanted: unknown): Drift[] {
  const found = fieldDifferences(wanted, live, {
    skips: (path) => own.has(path) || path.endsWith('berth.dev/restarted-at'),
  });
  return found.map(({ field, before, after }) => ({ field, marked: before, live: after }));
}
