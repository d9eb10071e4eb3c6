import { saysFullDisk } from './full-disk.ts';

/** What mends it that an engine was not ready in time, by what it waited for in the end. Pure. */
export function waitCure(answer: string): string {
  if (/exceeded quota/.test(answer))
    return 'Ask for less in the fleet file, end something else there, or have the quota raised.';
  if (saysFullDisk(answer) || fullNode.test(answer))
    return 'Free some space on the node that is full ("kubectl describe node" tells which, "crictl imagefsinfo" there what images take), or let it run on another one (target.nodeSelector).';
  if (/finds no node/.test(answer))
    return 'See what the nodes have ("kubectl describe nodes"): end something else there, ask for less under gpus and resources, or correct target.nodeSelector and target.tolerations. A cluster that only has to make a node for it needs more time (engine.startTimeout).';
  if (/MountVolume|hostPath type check/.test(answer))
    return 'Check that what is mounted is there, on the node or in the cluster: the model by its path under models.*.at, a claim by its name.';
  return 'Give it more time (engine.startTimeout), or see what holds it up.';
}

/** As schedulers and kubelets say it. */
const fullNode = /disk-pressure|DiskPressure|low on resource: ephemeral-storage|ephemeral local storage/;
