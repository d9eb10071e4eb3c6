import { defineError } from './define.ts';

/** Faults of what an audit is given to read. */
export const auditErrors = {
  RECORDING_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} is no recording of an audit: ${f.reason}.`,
    () => 'Make one with "berth audit --record FILE".',
    'usage',
  ),
  OBJECTS_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} holds no objects of Kubernetes: ${f.reason}`,
    () => 'Give it what "kubectl get KINDS -A -o json" prints, or manifests in YAML.',
    'usage',
  ),
  REMOVE_UNKNOWN: defineError<{ object: string; known: readonly string[] }>(
    (f) => `There is no ${f.object} that serves models.`,
    (f) =>
      f.known.length === 0 ? '"berth audit" names what is there.' : `What is there: ${f.known.join(', ')}.`,
    'usage',
  ),
  REMOVE_REFUSED: defineError<{ object: string; reason: string; cure: string }>(
    (f) => `${f.object} is left as it is: ${f.reason}.`,
    (f) => f.cure,
  ),
  RESTORE_UNKNOWN: defineError<{ id: string; known: readonly string[] }>(
    (f) => `Nothing is kept under "${f.id}".`,
    (f) => (f.known.length === 0 ? 'Nothing was removed yet.' : `Kept are ${f.known.join(', ')}.`),
    'usage',
  ),
  RESTORE_DONE: defineError<{ id: string; at: string; what: string }>(
    (f) => `${f.id} was made again already, at ${f.at}: ${f.what}.`,
    (f) => `If that is gone again, "berth restore ${f.id} --again" makes it once more.`,
    'usage',
  ),
};
