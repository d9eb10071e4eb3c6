import type { Finding } from '../../domain/finding.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { DesiredReplica } from './desired.ts';

/** GPUs that the file names for a target; null where it names none. */
export function gpuIdsOf(target: object): readonly string[] | null {
  const container: unknown = Reflect.get(target, 'container');
  const place = typeof container === 'object' && container !== null ? container : target;
  const ids: unknown = Reflect.get(place, 'gpuIds');
  return Array.isArray(ids) ? ids.map(String) : null;
}

/** The maker whose GPUs an engine is built for; null: nobody says. */
export function vendorSaid({ devices: { vendor } }: LaunchSpec): 'nvidia' | 'amd' | null {
  return vendor === 'nvidia' || vendor === 'amd' ? vendor : null;
}

/** Of GPUs that the file names for several replicas each has its part, in the order of the file, as many as each other. */
export function dealtGpus(one: DesiredReplica): { replica: DesiredReplica; finding?: Finding } {
  const { deployment, replica, spec } = one;
  const ids = gpuIdsOf(deployment.target);
  const { vendor, count } = spec.devices;
  if (!ids || deployment.replicas === 1 || vendor !== 'nvidia') return { replica: one };
  const each = Math.floor(ids.length / deployment.replicas);
  if (each < Math.max(1, count))
    return replica === 0 ? { replica: one, finding: tooFew(one, ids) } : { replica: one };
  const own = ids.slice(replica * each, (replica + 1) * each);
  return {
    replica: { ...one, spec: { ...spec, devices: { ...spec.devices, chosen: { vendor, ids: own } } } },
  };
}

function tooFew({ deployment, spec }: DesiredReplica, ids: readonly string[]): Finding {
  const each = Math.max(1, spec.devices.count);
  return {
    rule: 'gpus-short',
    severity: 'warning',
    object: deployment.name,
    message: `target.gpuIds names ${ids.length} GPUs, and ${deployment.replicas} replicas want ${each} each: all of them are given all.`,
    evidence: [`gpuIds: ${ids.join(', ')}`, `replicas: ${deployment.replicas}`],
    cure: `Name ${each * deployment.replicas} GPUs in target.gpuIds, or lower replicas.`,
  };
}
