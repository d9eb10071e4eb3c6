import type { Mark } from '../../domain/instance.ts';
import type { SecretRef } from '../../domain/secret.ts';
import type { KubeEndpoint } from '../../kube/endpoints.ts';
import { objectName } from '../../kube/names.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';
import type { Seats } from './seats.ts';

/** The InferenceServices of a fleet whose pods are reached by their addresses: one for each replica. Pure. */
export function kserveServices({ deployments }: Pick<LoadedFleet, 'deployments'>): string[] {
  return deployments.filter((one) => modeOf(one) === 'RawDeployment').flatMap(servicesOf);
}

/**
 * Those of Knative are reached by their URL within the cluster: Knative itself chooses among their pods, of which there may be
 * none until somebody asks. Pure.
 */
export function knativeEndpoints(
  { deployments }: Pick<LoadedFleet, 'deployments'>,
  namespace: string,
): KubeEndpoint[] {
  return deployments
    .filter((one) => modeOf(one) === 'Knative')
    .flatMap(servicesOf)
    .map((name) => {
      const service = `${name}-predictor`;
      return { by: 'kserve', name, pod: service, address: `${service}.${namespace}.svc`, port: 80 };
    });
}

function modeOf({ target }: Pick<Deployment, 'target'>): unknown {
  return target.kind === 'kserve' ? target['mode'] : null;
}

function servicesOf({ name, replicas }: Pick<Deployment, 'name' | 'replicas'>): string[] {
  return Array.from({ length: replicas }, (_, replica) => objectName(name, replica));
}

/** What stands on an engine elsewhere follows here from the file, and its place from the cluster. */
export function marksOf(
  loaded: LoadedFleet,
  seen: readonly KubeEndpoint[],
  { seats, keyOf }: { seats: Seats; keyOf: (deployment: Deployment) => SecretRef | null },
): Mark[] {
  return loaded.deployments.flatMap((deployment) => {
    const spec = launchSpecOf(deployment, { cores: null, help: null, key: keyOf(deployment) });
    const mine = seen.filter((one) => isOf(deployment, one));
    const numbers = seats.take(
      deployment.name,
      mine.map(({ pod }) => pod),
    );
    if (!spec) return [];
    return mine.map(({ pod, address, port }) => ({
      fleet: loaded.fleet,
      fleetId: loaded.fleetId,
      deployment: deployment.name,
      replica: numbers.get(pod) ?? 0,
      target: { ...deployment.target },
      address,
      port,
      reached: { address, port },
      logFile: '',
      declared: {},
      spec,
    }));
  });
}

function isOf(deployment: Deployment, { by, name }: KubeEndpoint): boolean {
  if (deployment.target.kind === 'kserve') return by === 'kserve' && servicesOf(deployment).includes(name);
  return by === 'berth' && name === objectName(deployment.name, 0);
}
