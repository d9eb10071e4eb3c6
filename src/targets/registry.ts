import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import type { Target } from './contract.ts';
import { dockerTarget } from './docker.ts';
import { kserveTarget } from './kserve.ts';
import { kubernetesTarget } from './kubernetes.ts';
import { processTarget } from './process.ts';
import { systemdTarget } from './systemd.ts';

/** Every way of running engines. Add one: write its file beside this one, then name it here. */
export const targets = [processTarget, systemdTarget, dockerTarget, kubernetesTarget, kserveTarget] as const;

export type TargetKind = (typeof targets)[number]['kind'];

/** What a host can have: a cluster what is made for one, a machine all else. */
export function targetsOn({ cluster }: Pick<World, 'cluster'>): Target[] {
  const all = targets as unknown as readonly Target[];
  return all.filter((one) => (one.inCluster ?? false) === (cluster !== undefined));
}

/** The target of this kind. Hand it only options that its own schema has parsed. */
export function targetOf(kind: string): Target {
  const found = targets.find((target) => target.kind === kind);
  if (!found) throw new BerthError('TARGET_UNKNOWN', { kind, known: targets.map((target) => target.kind) });
  // The kind that was found by is that of its own options.
  return found as unknown as Target;
}
