import { instanceTypeLabel, listPrice, pricesSource } from '../../hardware/prices.ts';
import type { Deployment, LoadedFleet } from './resolve.ts';

/** What an hour of a replica costs, as a benchmark asks for it; undefined where it says nothing. The loader has seen that it is known. */
export function priceOf(
  { hosts, deployments }: Pick<LoadedFleet, 'hosts' | 'deployments'>,
  price: LoadedFleet['benchmarks'][string]['price'],
  name: string,
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
  return hour === null ? undefined : { usdPerHour: hour, source: `${type}, ${pricesSource}` };
}

function instanceTypeOf({ target }: Deployment): string | null {
  const selector = target['nodeSelector'];
  const type = typeof selector === 'object' && selector ? Reflect.get(selector, instanceTypeLabel) : null;
  return typeof type === 'string' ? type : null;
}
