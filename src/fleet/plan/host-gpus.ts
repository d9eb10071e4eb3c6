import type { Finding } from '../../domain/finding.ts';
import type { Gpu } from '../../domain/hardware.ts';
import { machineOf } from '../../domain/host-access.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import { detectGpus } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Sight } from '../observe/observe.ts';
import { chooseGpus } from './choose-gpus.ts';
import type { GpuAnswer, GpuWish } from './choose-gpus.ts';
import { replicaName } from './desired.ts';
import type { DesiredReplica } from './desired.ts';
import { dealtGpus } from './dealt-gpus.ts';
import { heldBy } from './held-gpus.ts';
import { wantedVendor } from './wanted-vendor.ts';

interface Sought {
  readonly desired: readonly DesiredReplica[];
  readonly observed: Sight;
  /** Marked engines that the plan decides on. */
  readonly standing: readonly Instance[];
}

/** The replicas with the GPUs that each is given; asks those machines alone where some are wanted. */
export async function withChosenGpus(
  world: World,
  loaded: LoadedFleet,
  sought: Sought,
): Promise<{ desired: readonly DesiredReplica[]; findings: readonly Finding[] }> {
  const dealt = sought.desired.map(dealtGpus);
  const desired = dealt.map((one) => one.replica);
  const machines = Map.groupBy(desired, (one) => machineOf(loaded.hosts[one.deployment.host]));
  const answers = await Promise.all(
    [...machines].map(async ([machine, there]) => {
      const asking = there.find((one) => wantedVendor(one) !== null);
      if (!asking) return [];
      const gpus = await detectGpus(await worldOfHost(world, loaded.hosts, asking.deployment.host));
      return giveGpus(machine, gpus, { ...sought, desired: there });
    }),
  );
  const given = new Map(answers.flat().map(({ from, to }) => [from, to]));
  return {
    desired: desired.map((one) => given.get(one) ?? one),
    findings: [...dealt, ...answers.flat()].flatMap(({ finding }) => finding ?? []),
  };
}

interface Given {
  readonly from: DesiredReplica;
  readonly to: DesiredReplica;
  readonly finding: Finding | null;
}

/** Of one machine: what each replica that wants GPUs is given of those that nobody else has. Pure. */
function giveGpus(machine: string, gpus: readonly Gpu[], { desired, observed, standing }: Sought): Given[] {
  const wanting = desired.filter((one) => wantedVendor(one) !== null);
  const before = wanting.map((one) => standing.find((it) => it.host === machine && isOf(it, one)));
  const others = observed.instances.filter(
    (one) => one.mark && one.alive && one.host === machine && !has(before, one),
  );
  const fixed = desired.filter((one) => wantedVendor(one) === null);
  const wishes = wanting.map((one, at): GpuWish => {
    const { chosen } = before[at]?.mark?.spec.devices ?? one.spec.devices;
    return { vendor: wantedVendor(one) ?? 'any', count: one.spec.devices.count, had: chosen ?? null };
  });
  const answers = chooseGpus(gpus, wishes, {
    staying: [
      ...others.filter((one) => !has(standing, one)).flatMap((one) => heldBy(one.mark ?? null)),
      ...fixed.flatMap(({ spec, deployment: { target } }) => heldBy({ spec, target })),
    ],
    leaving: others.filter((one) => has(standing, one)).flatMap((one) => heldBy(one.mark ?? null)),
  });
  return wanting.map((from, at) => {
    const answer = answers[at] ?? null;
    const finding = answer && 'left' in answer ? tooFew(from, answer, gpus) : null;
    return { from, to: withAnswer(from, answer), finding };
  });
}

function has(instances: readonly (Instance | undefined)[], { object }: Instance): boolean {
  return instances.some((one) => one && sameObject(one.object, object));
}

function isOf({ mark }: Instance, { deployment, replica }: DesiredReplica): boolean {
  return mark?.deployment === deployment.name && mark.replica === replica;
}

function withAnswer(one: DesiredReplica, answer: GpuAnswer): DesiredReplica {
  const { chosen: _before, ...devices } = one.spec.devices;
  const chosen = answer && 'chosen' in answer ? { chosen: answer.chosen } : {};
  return { ...one, spec: { ...one.spec, devices: { ...devices, ...chosen } } };
}

function tooFew(
  { deployment, replica, spec: { devices } }: DesiredReplica,
  { left, there }: { left: number; there: number },
  gpus: readonly Gpu[],
): Finding {
  return {
    rule: 'gpus-short',
    severity: 'warning',
    object: replicaName(deployment.name, replica, deployment.replicas),
    ...(deployment.host === 'local' ? {} : { host: deployment.host }),
    message: `It wants ${devices.count} of the GPUs of ${deployment.host}, and of ${there} there ${left} are nobody else's: it shares them with other engines.`,
    evidence: gpus.map((gpu) => `GPU ${gpu.index}: ${gpu.name} (${gpu.uuid ?? 'without UUID'})`),
    cure: 'Lower its gpus or replicas, give it another host, or stop an engine that has them.',
  };
}
