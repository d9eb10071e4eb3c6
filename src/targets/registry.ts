import { BerthError } from '../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../domain/instance.ts';
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

/** What carries a mark on a host, and the targets there that could not be asked, by kind, with the reason. */
export interface Marked {
  readonly instances: readonly Instance[];
  readonly mute: ReadonlyMap<string, BerthError>;
}

/** Asks all targets of a host. One that cannot be asked keeps no other from being seen. */
export async function markedOn(world: World): Promise<Marked> {
  const looks = targetsOn(world).map(async (target) => {
    try {
      const found = (await target.observe(world)).filter((one) => isOwnMark(target, one));
      return { found, mute: [] };
    } catch (error) {
      if (!isUnasked(target, error)) throw error;
      return { found: [], mute: [[target.kind, error] as const] };
    }
  });
  const all = await Promise.all(looks);
  return {
    instances: all.flatMap(({ found }) => found),
    mute: new Map(all.flatMap(({ mute }) => mute)),
  };
}

/** By a mark that names another target, whoever may change a cluster would have processes started on the machine that berth runs on. */
function isOwnMark({ kind }: Pick<Target, 'kind'>, { mark }: Instance): boolean {
  return mark === null || mark.target.kind === kind;
}

/** It says that what keeps the objects of a target cannot be asked, and so nothing of them. */
export function isUnasked({ unasked }: Pick<Target, 'unasked'>, error: unknown): error is BerthError {
  return error instanceof BerthError && (unasked?.includes(error.code) ?? false);
}

/** Whether the engine is a program of the host, and comes from no image. */
export function usesHostPrograms(options: Mark['target']): boolean {
  return targetOf(options.kind).hostPrograms?.(options) ?? true;
}

/** The target of this kind. Hand it only options that its own schema has parsed. */
export function targetOf(kind: string): Target {
  const found = targets.find((target) => target.kind === kind);
  if (!found) throw new BerthError('TARGET_UNKNOWN', { kind, known: targets.map((target) => target.kind) });
  // The kind that was found by is that of its own options.
  return found as unknown as Target;
}
