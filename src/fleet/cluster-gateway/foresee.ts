import type { Finding } from '../../domain/finding.ts';
import type { GatewayAction, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { driftOf, endFindings, foresee } from '../../kube/foresee.ts';
import { namedByGateway, namedFindings } from '../../kube/named-objects.ts';
import { gatewayName } from '../../kube/names.ts';
import { isRolledOut, waitsFor } from '../../kube/state.ts';
import { worldOn } from '../file/hosts.ts';
import { objectsOfGateway } from './carry-out.ts';
import { gatewayMark } from '../../render/gateway-objects.ts';
import { sameValue } from '../plan/differences.ts';
import { liveGateway, madeGateway, markOn, secretsOn } from './look.ts';

type Of<Kind extends GatewayAction['do']> = Extract<GatewayAction, { do: Kind }>;

/** What the cluster would say to what is to be made, and what it says of what is there. Reads only. */
export async function gatewayFindings(world: World, plan: Plan): Promise<Finding[]> {
  const found = await Promise.all(
    (plan.gateways ?? []).map(async (action): Promise<Finding[]> => {
      const host = await worldOn(world, plan.hosts[action.host]);
      if (action.do === 'stop') return endedFindings(host, plan);
      return action.do === 'keep' ? keptFindings(host, plan, action) : foreseen(host, plan, action);
    }),
  );
  return found.flat();
}

/** Whether another program keeps the gateway that is to go. */
async function endedFindings(host: World, { fleet, fleetId }: Plan): Promise<Finding[]> {
  const mark = { fleet, fleetId, deployment: gatewayName };
  const named = { apiVersion: 'apps/v1', kind: 'Deployment', name: gatewayName };
  return endFindings(await placeOf(host), mark, named);
}

async function foreseen(
  host: World,
  plan: Plan,
  { wanted }: Of<'start'> | Of<'replace'>,
): Promise<Finding[]> {
  const place = await placeOf(host);
  const { fleet, fleetId } = plan;
  const live = await liveGateway(place, plan);
  const findings = await foresee(
    place,
    { fleet, fleetId, deployment: gatewayName },
    {
      objects: objectsOfGateway(plan, { gateway: wanted, secrets: live && secretsOn(live) }, place),
      force: live !== null && sameValue(markOn(live), gatewayMark(wanted)),
      makesNamespace: Boolean(host.cluster?.createNamespace),
    },
  );
  return [...findings, ...(await namedFindings(place, { deployment: gatewayName }, namedByGateway(wanted)))];
}

async function keptFindings(host: World, plan: Plan, { wanted, host: name }: Of<'keep'>): Promise<Finding[]> {
  const place = await placeOf(host);
  const made = await madeGateway(place, plan);
  const secrets = made && secretsOn(made.deployment);
  const drift = await driftOf(place, objectsOfGateway(plan, { gateway: wanted, secrets }, place));
  const waits = made && !isRolledOut(made) ? (waitsFor(made) ?? 'is being rolled') : null;
  return [
    ...(waits === null
      ? []
      : [
          {
            rule: 'gateway-not-serving',
            severity: 'warning' as const,
            object: gatewayName,
            message: `Not all pods of the gateway on ${name} serve: one ${waits}.`,
            evidence: [waits],
            cure: 'Look at "berth logs gateway".',
          },
        ]),
    ...(drift.length === 0
      ? []
      : [
          {
            rule: 'drift',
            severity: 'warning' as const,
            object: gatewayName,
            message: `The gateway on ${name} is not as berth made it: somebody changed ${drift.map(({ field }) => field).join(', ')}.`,
            evidence: drift.map(
              ({ field, marked, live }) => `${field}: ${marked ?? 'none'} → ${live ?? 'none'}`,
            ),
            cure: 'Nothing is changed back by itself; "berth apply --restart gateway" makes it as the file says.',
          },
        ]),
  ];
}
