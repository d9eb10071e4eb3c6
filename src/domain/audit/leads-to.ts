import { selects } from './kube-object.ts';
import type { Workload } from './kube-object.ts';

/** Labels that controllers write on pods beyond those of their template: of a version, a number, a node, a job. */
const written =
  /^(pod-template-hash|rollouts-pod-template-hash|controller-revision-hash|pod-template-generation|controller-uid|(batch\.kubernetes\.io|apps\.kubernetes\.io|leaderworkerset\.sigs\.k8s\.io|jobset\.sigs\.k8s\.io|ray\.io|serving\.knative\.dev|grove\.io)\/.+)$/;

const podName = 'statefulset.kubernetes.io/pod-name';
const jobNames = ['job-name', 'batch.kubernetes.io/job-name'];

/** Whether a selector meets pods of this template, as far as the template and its controller tell. Pure. */
export function leadsTo(
  selector: Readonly<Record<string, string>>,
  { object, labels }: Pick<Workload, 'object' | 'labels'>,
): boolean {
  if (object.kind === 'Pod') return selects(selector, labels);
  const { name } = object.metadata;
  const added = Object.entries(selector).filter(([key]) => labels[key] === undefined);
  const kept = Object.entries(selector).filter(([key]) => labels[key] !== undefined);
  const fits = added.every(([key, value]) => {
    if (key === podName) return /^(.*)-\d+$/.exec(value)?.[1] === name;
    if (jobNames.includes(key)) return value === name;
    // Alone such a label does not say whose it is.
    return written.test(key) && kept.length > 0;
  });
  return added.length + kept.length > 0 && fits && selects(Object.fromEntries(kept), labels);
}
