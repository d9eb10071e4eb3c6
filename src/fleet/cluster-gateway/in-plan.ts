import type { GatewayAction, Plan, Reason } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { gatewaySecret, gatewaySecretRefs } from '../../render/gateway-objects.ts';
import { accessOf, worldOfHost } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { gatewayFindings } from './foresee.ts';
import { changedInCluster, reasonOf } from '../plan/live-secrets.ts';
import { changedSecrets, secretHashesOf } from '../plan/secret-hashes.ts';
import { seenGateways } from './look.ts';
import type { SeenGateway } from './look.ts';
import { planGateways } from './plan-gateways.ts';
import { wantedGateway } from './wanted.ts';
import type { WantedGateway } from './wanted.ts';

/** A plan with what becomes of the gateway in a cluster. One that is confined to deployments leaves it as it is. */
export async function withGateways(
  world: World,
  plan: Plan,
  { loaded, silent, restart }: { loaded: LoadedFleet; silent: ReadonlySet<string>; restart: boolean },
): Promise<Plan> {
  if (plan.only) return plan;
  const hosts = Object.fromEntries(Object.entries(loaded.hosts).filter(([name]) => !silent.has(name)));
  const wanted = wantedGateway(world, loaded);
  const seen = await seenGateways(world, plan, { hosts, wanted: wanted?.host });
  const there = seen.find(({ host }) => host === wanted?.host);
  const changed = wanted && there ? await changedGatewaySecrets(world, loaded, { wanted, there }) : [];
  const planned = planGateways(wanted, seen, { silent, changed });
  const gateways = restart ? planned.map(again) : planned;
  if (gateways.length === 0) return plan;
  const own = gateways.map(({ host }) => [host, accessOf(loaded.hosts[host])] as const);
  const made = { ...plan, hosts: { ...plan.hosts, ...Object.fromEntries(own) }, gateways };
  return { ...made, findings: [...plan.findings, ...(await gatewayFindings(world, made))] };
}

/** By the hashes that berth has written beside its mark, else by the Secret that the cluster has. */
async function changedGatewaySecrets(
  world: World,
  { hosts }: LoadedFleet,
  { wanted, there }: { wanted: WantedGateway; there: SeenGateway },
): Promise<Reason[]> {
  const secrets = gatewaySecretRefs(wanted.gateway);
  if (there.secrets === null) {
    const place = await placeOf(await worldOfHost(world, hosts, wanted.host));
    const found = await changedInCluster(world, place, {
      name: gatewaySecret,
      secrets,
      textOf: (_, value) => value,
    });
    return found.map((one) => reasonOf(one, 'other pods'));
  }
  const now = await secretHashesOf(world, { secrets });
  return changedSecrets({ secrets: there.secrets }, { secrets }, now, 'other pods');
}

function again(action: GatewayAction): GatewayAction {
  if (action.do !== 'keep') return action;
  return { ...action, do: 'replace', reasons: [{ field: null, text: 'a restart was asked for' }] };
}
