import { fieldDifferences } from '../domain/field-differences.ts';
import type { Drift } from '../targets/contract.ts';
import { helmAnnotation, markAnnotation, writtenAnnotation } from './names.ts';
import { withSubjects } from './subjects.ts';

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
  // Kept to go back to; another version of berth keeps more or less.
  `metadata.annotations.${writtenAnnotation}`,
  'status',
]);

/** Helm signs what it installs in this place. */
const signature = 'metadata.labels.app.kubernetes.io/managed-by';

interface Compared {
  readonly kind?: unknown;
  readonly subjects?: unknown;
  readonly spec?: unknown;
  readonly metadata?: {
    readonly namespace?: string | undefined;
    readonly annotations?: Readonly<Record<string, string>> | null | undefined;
  };
}

/** In what a live object differs from how berth would have it. Pure. */
export function differencesOf(live: Compared, wanted: Compared): Drift[] {
  const installed = live.metadata?.annotations?.[helmAnnotation] !== undefined;
  const namespace = live.metadata?.namespace;
  const found = fieldDifferences(withSubjects(wanted, namespace), withSubjects(live, namespace), {
    skips: (path) =>
      own.has(path) || path.endsWith('berth.dev/restarted-at') || (installed && path === signature),
  });
  return found.map(({ field, before, after }) => ({ field, marked: before, live: after }));
}
