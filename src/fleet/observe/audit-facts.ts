import { urlHost } from '../../domain/url-host.ts';
import type { ObservedFleet } from '../../domain/audit/observation.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { routesOf } from '../gateway/gateway-config.ts';
import type { Measurements } from '../plan/rate-findings.ts';
import { declaredDifferences } from '../plan/differences.ts';
import { worldOfInstance } from '../file/hosts.ts';
import { instancesOf, muteOf, observeFleet } from './observe.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { isOutdated } from './status.ts';

/** What an audit must know of a fleet: what the file wants, what carries its mark, and in what the two differ. Reads only. */
export async function auditFacts(
  world: World,
  loaded: LoadedFleet,
  measured?: Measurements,
): Promise<ObservedFleet> {
  const sight = await observeFleet(world, loaded.hosts);
  const own = instancesOf(sight, loaded);
  const drift = await Promise.all(own.map((instance) => driftOf(world, loaded, instance)));
  return {
    name: loaded.fleet,
    file: loaded.files.at(-1)?.path ?? '',
    deployments: loaded.deployments.map(stated),
    gateway: {
      listen: loaded.gateway.listen.map(({ address, port }) => `${address}:${port}`),
      tls: loaded.gateway.tls?.cert !== undefined,
      routes: routesOf(loaded).map(({ name, to }) => ({ name, to: to.map((one) => one.deployment) })),
    },
    measured: measured ? await measuredOf(loaded, own, measured) : [],
    prices: pricesOf(loaded),
    reserved: Object.fromEntries(
      Object.entries(loaded.hosts).flatMap(([name, { reserve }]) =>
        reserve.length > 0 ? [[name, reserve]] : [],
      ),
    ),
    reached: [],
    instances: own.flatMap(({ mark, object, alive, trouble }) => {
      if (!mark) return [];
      const { deployment, replica, declared } = mark;
      const stated = loaded.deployments.find((one) => one.name === deployment)?.protect;
      const protect = stated ?? declared['protect'] === true;
      const { address, port } = mark.reached ?? mark;
      const listens = `${urlHost(address)}:${port}`;
      return [{ deployment, replica, object: object.name, alive, trouble, listens, protect }];
    }),
    drift: drift.flat(),
    unreachable: [
      ...[...sight.silent].map(([host, error]) => ({ host, reason: error.message, cure: error.cure })),
      ...muteOf(sight, loaded.deployments).map(({ host, target, fault }) => ({
        host,
        target,
        reason: fault.message,
        cure: fault.cure,
      })),
    ],
  };
}

/** Of what runs, by the slots that it was started with. */
async function measuredOf(
  { deployments }: LoadedFleet,
  own: readonly Instance[],
  measured: Measurements,
): Promise<ObservedFleet['measured']> {
  const found = await Promise.all(
    deployments.map(async ({ name, limits }) => {
      const slots = own.find(({ mark }) => mark?.deployment === name)?.mark?.spec.slots ?? null;
      const service = limits?.rps === undefined || slots === null ? null : await measured(name, slots);
      return service && slots !== null ? [{ deployment: name, ...service, slots }] : [];
    }),
  );
  return found.flat();
}

/** This machine is "local", whatever the file calls it. */
function pricesOf({ hosts }: LoadedFleet): ObservedFleet['prices'] {
  return Object.fromEntries(
    Object.entries(hosts).flatMap(([name, host]) => {
      const { price } = host;
      const called = machineOf(host) === thisMachine ? thisMachine : name;
      return price ? [[called, { hour: price.hour ?? null, diskMonth: price.diskMonth ?? null }]] : [];
    }),
  );
}

function stated(deployment: Deployment): ObservedFleet['deployments'][number] {
  const { engine, limits } = deployment;
  return {
    name: deployment.name,
    host: deployment.host,
    engine: engine.kind,
    model: deployment.model?.path ?? null,
    replicas: deployment.replicas,
    onDemand: deployment.onDemand !== null,
    external: engineOf(engine.kind).external !== undefined,
    gpus: deployment.gpus,
    options: { ...engine },
    rps: limits?.rps ?? null,
    target: engineOf(engine.kind).external === undefined ? deployment.target.kind : null,
    port: deployment.port,
  };
}

async function driftOf(
  home: World,
  loaded: LoadedFleet,
  instance: Instance,
): Promise<ObservedFleet['drift']> {
  const { mark } = instance;
  if (!mark || !instance.alive) return [];
  const world = await worldOfInstance(home, loaded.hosts, instance);
  const place = { deployment: mark.deployment, replica: mark.replica, object: instance.object.name };
  const [file, live] = await Promise.all([
    changedFields(world, loaded, mark),
    targetOf(instance.object.target).readBack?.(world, instance) ?? [],
  ]);
  return [
    ...(file.length > 0 ? [{ ...place, by: 'file' as const, fields: file }] : []),
    ...(live.length > 0
      ? [
          {
            ...place,
            by: 'somebody' as const,
            fields: live.map(({ field, marked, live: now }) => ({
              field,
              from: marked ?? 'nothing',
              to: now ?? 'nothing',
            })),
          },
        ]
      : []),
  ];
}

/** What the file says otherwise than when it was started. */
async function changedFields(
  world: World,
  loaded: LoadedFleet,
  mark: Mark,
): Promise<ObservedFleet['drift'][number]['fields']> {
  const deployment = loaded.deployments.find((one) => one.name === mark.deployment);
  if (!deployment || !(await isOutdated(world, deployment, mark))) return [];
  const port = deployment.port ?? mark.port;
  const fields = declaredDifferences(mark.declared, deployment.declared).map(({ field, text }) => {
    const [from = '', to = ''] = text.slice((field?.length ?? 0) + 2).split(' → ');
    return { field: field ?? '', from, to };
  });
  return port === mark.port
    ? fields
    : [...fields, { field: 'port', from: String(mark.port), to: String(port) }];
}
