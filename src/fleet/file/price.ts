import { instanceTypeLabel, listPrice, pricesAsOf, pricesSource } from '../../hardware/prices.ts';
import type { Deployment, LoadedFleet } from './resolve.ts';

/** What an hour of a replica costs, as a benchmark asks for it; undefined where it says nothing. The loader has seen that it is known. */
export function priceOf(
  { hosts, deployments }: Pick<LoadedFleet, 'hosts' | 'deployments'>,
  price: LoadedFleet['benchmarks'][string]['price'],
  { name, today }: { name: string; today: Date },
): { usdPerHour: number; source: string } | undefined {
  if (price === undefined) return undefined;
  if (price.hour !== undefined) return { usdPerHour: price.hour, source: 'the fleet file' };
  const deployment = deployments.find((one) => one.name === name);
  if (!deployment) return undefined;
  if (price.from === 'host') {
    const hour = hosts[deployment.host]?.price?.hour;
    return hour === undefined ? undefined : { usdPerHour: hour, source: `hosts.${deployment.host}.price` };
  }
  const type = instanceTypeOf(deployment);
  const hour = type === null ? null : listPrice(type);
  return hour === null
    ? undefined
    : { usdPerHour: hour, source: `${type}, ${pricesSource}, ${ageOf(today)} days old` };
}

/** A list that nobody has looked at for long is told as old with every figure that is made from it. */
function ageOf(today: Date): number {
  return Math.max(0, Math.round((today.getTime() - Date.parse(pricesAsOf)) / 86_400_000));
}

function instanceTypeOf({ target }: Deployment): string | null {
  const selector = target['nodeSelector'];
  const type = typeof selector === 'object' && selector ? Reflect.get(selector, instanceTypeLabel) : null;
  return typeof type === 'string' ? type : null;
}
