import type { Observation } from '../../src/domain/audit/observation.ts';

/** The healthy machine and cluster, to be changed in place. */
export type Draft = Observation;

/** Sets one field of the healthy machine or cluster: "hosts.0.servers.1.state". */
export function set(path: string, value: unknown): (draft: Draft) => void {
  return (draft) => {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at: unknown = draft;
    for (const key of keys) at = Reflect.get(at as object, key);
    Reflect.set(at as object, last, value);
  };
}

/** Adds one thing to a list of it. */
export function add(path: string, value: unknown): (draft: Draft) => void {
  return (draft) => {
    let at: unknown = draft;
    for (const key of path.split('.')) at = Reflect.get(at as object, key);
    (at as unknown[]).push(value);
  };
}

/** An object of Kubernetes that leads requests to a Service. */
export function door(kind: string, spec: unknown): unknown {
  return { kind, metadata: { name: 'mistral', namespace: 'llm' }, spec };
}
