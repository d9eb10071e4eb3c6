import type { Observation } from '../domain/audit/observation.ts';
import type { Finding } from '../domain/finding.ts';

const GiB = 1024 ** 3;
/** 365.25 days in 12 parts. */
const hoursPerMonth = 730.5;

/**
 * What a fault costs in money, where the file has the price of its host: of a machine that is paid by the hour the share that is
 * held for nothing, of its GPUs or else of its memory; of disk by what it takes. Pure.
 */
export function priced(
  { cost, host }: Pick<Finding, 'cost' | 'host'>,
  { hosts, clusters, fleet }: Pick<Observation, 'hosts' | 'clusters' | 'fleet'>,
): Pick<Finding, 'cost'> {
  // What no machine has is of a cluster; of several it is not known which.
  const name = host ?? (clusters.length === 1 ? clusters[0]?.name : undefined);
  const price = name === undefined ? undefined : fleet?.prices[name];
  if (!cost || !price) return cost ? { cost } : {};
  const machine = hosts.find((one) => one.host === name)?.hardware;
  const gpuTotal = (machine?.gpus ?? []).reduce((sum, gpu) => sum + (gpu.memoryBytes ?? 0), 0);
  const shares = [
    share(cost.gpuBytes, gpuTotal),
    // A machine with GPUs is paid for them.
    gpuTotal > 0 ? 0 : share(cost.memoryBytes, machine?.memory.totalBytes ?? 0),
  ];
  const machinePart = (price.hour ?? 0) * hoursPerMonth * Math.max(...shares);
  const diskPart = ((cost.diskBytes ?? 0) / GiB) * (price.diskMonth ?? 0);
  const usd = Math.round((machinePart + diskPart) * 100) / 100;
  return usd > 0 ? { cost: { ...cost, usdPerMonth: usd } } : { cost };
}

function share(part: number | undefined, whole: number): number {
  return part === undefined || whole === 0 ? 0 : Math.min(1, part / whole);
}
