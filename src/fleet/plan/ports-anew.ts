import type { LoadedFleet } from '../file/resolve.ts';
import type { DesiredReplica } from './desired.ts';
import { TakenPorts } from './taken-ports.ts';

const nothing: ReadonlySet<number> = new Set();

/**
 * The ports that a plan gives replicas where nothing runs and nobody listens, in their order. What starts on demand has its own after all
 * the others, since it takes what is left. Pure. Throws NO_FREE_PORT.
 */
export function portsAnew(loaded: LoadedFleet, replicas: readonly DesiredReplica[]): readonly number[] {
  const taken = new TakenPorts(loaded, () => nothing);
  const ports = new Map<DesiredReplica, number>();
  const [always, later] = [
    replicas.filter(({ deployment }) => !deployment.onDemand),
    replicas.filter(({ deployment }) => deployment.onDemand),
  ];
  for (const one of [...always, ...later])
    ports.set(one, one.deployment.port ?? taken.take(one.deployment.host));
  return replicas.map((one) => ports.get(one) ?? 0);
}
