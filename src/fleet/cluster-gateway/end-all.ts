import type { World } from '../../io/world.ts';
import { gatewayName } from '../../kube/names.ts';
import type { Journal } from '../apply/journal.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { seenGateways } from './look.ts';
import { removeGateway } from './remove.ts';

/** Ends the gateways of a fleet in all of its clusters; gives the hosts that had one. Whoever calls this holds their locks. */
export async function endAllGateways(
  world: World,
  fleet: FleetIdentity,
  { hosts, journal, onProgress }: { hosts: Hosts; journal: Journal; onProgress: (line: string) => void },
): Promise<string[]> {
  const all = await seenGateways(world, fleet, { hosts });
  const seen = all.filter(({ mark }) => mark?.inFile !== false);
  const reasons = ['the fleet is ended'];
  for (const { host } of seen) {
    onProgress(`Stopping the gateway on ${host}`);
    const object = `deployment ${gatewayName}`;
    const effect = { do: 'stop' as const, host, deployment: null, replica: null, object, reasons };
    await journal.record(effect, async () => removeGateway(await worldOfHost(world, hosts, host), fleet));
  }
  return seen.map(({ host }) => host);
}
