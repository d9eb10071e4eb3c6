import type { Mark } from '../domain/instance.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';

/** How the deployments of one target stand in a cluster as objects. Pure. */
export interface ClusterWay {
  /** The target that it is for. */
  readonly kind: string;
  /** The target's options. What the file says of another target means nothing to it: then all is as usual. */
  readonly optionsOf: (deployment: RenderedDeployment) => { readonly kind: string };
  /** Why it cannot be written, as the end of a sentence; null when it can. */
  readonly refuses: (deployment: RenderedDeployment) => string | null;
  /** All objects of one replica but its Secret, with the mark that `apply` gives it. Without a namespace whoever sends them chooses. */
  readonly objectsOf: (mark: Mark, namespace: string | null) => KubeObject[];
  /** What has to be there beside the Secret of its variables, one sentence each. */
  readonly needsOf: (
    deployment: RenderedDeployment,
    placed: Pick<RenderInput, 'fleet' | 'fleetId' | 'namespace'>,
  ) => string[];
  /** Whether its replicas differ by their number alone, so that others may choose how many there are. */
  readonly canBeCounted: (deployment: RenderedDeployment) => boolean;
}
