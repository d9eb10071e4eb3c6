import type { ScannedServer } from '../scan-report.ts';
import type { KubeObject, Workload } from './kube-object.ts';
import { selects, sameNamespace } from './kube-object.ts';
import { kubectlFor } from './kube-words.ts';
import { endsOthers, stopCommand } from './server-words.ts';

interface Known {
  readonly fleet: { readonly name: string } | null;
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
}

/** What ends a server so that nothing brings it back, as commands that can be pasted; none where that is not known. */
export function stopCommands(server: ScannedServer, known: Known): string[] {
  const { owner, mark } = server;
  if (owner.kind === 'pod') return endsOthers(server) ? [] : ofPod(owner.name, known);
  if (owner.kind === 'supervisor') return [];
  if (owner.kind !== 'berth') return [stopCommand(server)];
  return mark && mark.fleet === known.fleet?.name ? [`berth down ${mark.deployment}`] : [];
}

function ofPod(uid: string, known: Known): string[] {
  const found = podWithMaker(uid, known);
  if (!found) return [];
  const { pod, maker } = found;
  const { kind = '', metadata } = maker ?? {};
  if (kind === 'Pod') return [`${kubectlFor(pod)} delete pod ${pod.metadata.name}`];
  const scaled = kind === 'Deployment' || kind === 'StatefulSet';
  return scaled ? [`${kubectlFor(pod)} scale ${kind.toLowerCase()}/${metadata?.name} --replicas=0`] : [];
}

/** The pod of this uid, with the object whose template makes it where that is seen; a pod that nobody made is its own. */
export function podWithMaker(
  uid: string,
  { objects, workloads }: Pick<Known, 'objects' | 'workloads'>,
): { pod: KubeObject; maker: KubeObject | undefined } | null {
  const pod = objects.find((one) => one.kind === 'Pod' && one.metadata.uid === uid);
  if (!pod) return null;
  const made = workloads.find(
    ({ object, labels }) =>
      object === pod ||
      (sameNamespace(object, pod) && object.kind !== 'Pod' && selects(labels, pod.metadata.labels ?? {})),
  );
  return { pod, maker: made?.object };
}
