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
};
