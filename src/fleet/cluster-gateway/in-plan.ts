import type { GatewayAction, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { accessOf } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { gatewayFindings } from './foresee.ts';
import { seenGateways } from './look.ts';
import { planGateways } from './plan-gateways.ts';
import { wantedGateway } from './wanted.ts';

/** A plan with what becomes of the gateway in a cluster. One that is confined to deployments leaves it as it is. */
export async function withGateways(
  world: World,
  plan: Plan,
  { loaded, silent, restart }: { loaded: LoadedFleet; silent: ReadonlySet<string>; restart: boolean },
): Promise<Plan> {
  if (plan.only) return plan;
  const hosts = Object.fromEntries(Object.entries(loaded.hosts).filter(([name]) => !silent.has(name)));
  const wanted = wantedGateway(loaded);
  const seen = await seenGateways(world, plan, { hosts, wanted: wanted?.host });
  const planned = planGateways(wanted, seen, silent);
  const gateways = restart ? planned.map(again) : planned;
  if (gateways.length === 0) return plan;
  const own = gateways.map(({ host }) => [host, accessOf(loaded.hosts[host])] as const);
  const made = { ...plan, hosts: { ...plan.hosts, ...Object.fromEntries(own) }, gateways };
  return { ...made, findings: [...plan.findings, ...(await gatewayFindings(world, made))] };
}

function again(action: GatewayAction): GatewayAction {
  if (action.do !== 'keep') return action;
  return { ...action, do: 'replace', reasons: [{ field: null, text: 'a restart was asked for' }] };
}
