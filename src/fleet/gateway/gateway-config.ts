import { join } from 'node:path';
import { measureOf } from '../../domain/experiment-tally.ts';
import type { GatewayConfig, Route, Upstream } from '../../domain/gateway-config.ts';
import { thisMachine } from '../../domain/host-access.ts';
import { isLoopback } from '../../domain/loopback.ts';
import type { OnDemandConfig } from '../../domain/on-demand.ts';
import { fallbackOf } from '../../domain/routing.ts';
import { engineOf, enginePaths } from '../../engines/registry.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { usualDrainMs } from '../apply/move-traffic.ts';
import { clientKeys, plainKey } from './client-keys.ts';
import { experimentsFile } from './experiment-counts.ts';
import { replicaName } from '../plan/desired.ts';
import { sentKeyFile } from '../apply/engine-key.ts';
import { quotasOf } from './gateway-quotas.ts';
import { observeSettings } from './observe-settings.ts';
import { worldOfHost, worldOfInstance } from '../file/hosts.ts';
import { fleetPaths } from '../file/paths.ts';
import { urlOf } from '../apply/ready.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { routedModels } from './routed-models.ts';
import type { RunningEngine } from './running-engine.ts';
import { withContext } from './route-context.ts';

const MiB = 1024 * 1024;
/** How long an engine may say nothing within a reply. */
export const usualIdleMs = 600_000;

/**
 * The gateway's whole configuration. Keys of clients become hashes; keys of servers elsewhere are written to files of their own
 * (0600) below `secretsDir`, so that the configuration holds none.
 */
export async function gatewayConfig(
  world: World,
  loaded: LoadedFleet,
  options: {
    /** One upstream each. */
    engines: readonly RunningEngine[];
    onDemand?: OnDemandConfig | undefined;
    secretsDir: string;
    /** Keys of berth itself by name, good for control. */
    ownKeys: readonly (readonly [name: string, key: string])[];
  },
): Promise<GatewayConfig> {
  const { limits, waitComments } = loaded.gateway;
  const clients = await clientKeys(world, loaded);
  const upstreams = await Promise.all(
    loaded.deployments.map((one) => upstreamsOf(world, loaded, one, options)),
  );
  const routes = routesOf(loaded);
  const serving = options.engines.filter((one) => one.share === undefined);
  const models = await routedModels(world, loaded, serving, routes);
  return {
    version: 1,
    fleet: loaded.fleet,
    ...doorsOf(loaded),
    routes: withContext([...routes, ...models], loaded.deployments),
    policies: Object.fromEntries(
      loaded.deployments.flatMap(({ name, policy }) => (policy ? [[name, policy]] : [])),
    ),
    upstreams: upstreams.flat(),
    ...(Object.keys(loaded.experiments).length > 0 && { experimentsFile: experimentsFile(world, loaded) }),
    observe: observeSettings(loaded.gateway, fleetPaths(world, loaded).logs),
    ...(waitComments === undefined ? {} : { waitCommentsMs: waitComments }),
    quotas: await quotasOf(world, loaded, { keys: clients.keys, secretsDir: options.secretsDir }),
    ...hostsOf(loaded, clients.wanted),
    anonymous: !clients.wanted,
    keys: [
      ...clients.keys,
      ...options.ownKeys.map(([name, key]) => ({ ...plainKey(name, key), control: true })),
    ],
    limits: {
      bodyBytes: limits.body ?? 64 * MiB,
      heldBytes: limits.held ?? 256 * MiB,
      queue: limits.queue ?? 256,
      queueBytes: limits.queueSize,
      queueMs: limits.queueTime ?? 60_000,
      connectMs: limits.connect ?? 5_000,
      idleMs: limits.idle ?? usualIdleMs,
      ...(limits.firstByte !== undefined && { firstByteMs: limits.firstByte }),
      drainMs: limits.drain ?? usualDrainMs,
      ...(limits.client !== undefined && { clientMs: limits.client }),
      probeMs: limits.probe ?? 5_000,
    },
    ...stoppedIn(loaded),
    ...(options.onDemand ? { onDemand: options.onDemand } : {}),
  };
}

function stoppedIn({ deployments }: LoadedFleet): Pick<GatewayConfig, 'stoppedByHand'> {
  const names = deployments.flatMap(({ name, atRest }) => (atRest === undefined ? [] : [name]));
  return names.length > 0 ? { stoppedByHand: names } : {};
}

/** Where no key is wanted and only this machine may come, a page of a name that was made to point here must not come either. */
function hostsOf({ gateway: { listen, hosts } }: LoadedFleet, keysWanted: boolean): { hosts?: string[] } {
  return !keysWanted && listen.every(({ address }) => isLoopback(address)) ? { hosts } : {};
}

/** Behind TLS berth itself comes in by an address of its own: it has no certificate to show, and no name that would match the gateway's. */
function doorsOf({
  gateway: { listen, tls, cors },
}: LoadedFleet): Pick<GatewayConfig, 'listen' | 'tls' | 'corsOrigins'> {
  const corsOrigins = cors?.origins ?? [];
  // The certificate of pods is theirs alone; the file has been checked to have no address then that others reach.
  if (tls?.cert === undefined || tls.key === undefined) return { listen, corsOrigins };
  return {
    listen: [...listen, { address: '127.0.0.1', port: 0, inside: true }],
    tls: {
      certFile: tls.cert,
      keyFile: tls.key,
      clientCaFile: tls.clientCa ?? null,
      ...(tls.clientNames && { clientNames: true }),
    },
    corsOrigins,
  };
}

async function upstreamsOf(
  world: World,
  loaded: LoadedFleet,
  deployment: Deployment,
  { engines, secretsDir }: { engines: readonly RunningEngine[]; secretsDir: string },
): Promise<Upstream[]> {
  const engine = engineOf(deployment.engine.kind);
  const external = engine.external?.(deployment.engine);
  const base = {
    deployment: deployment.name,
    paths: [...enginePaths(deployment.engine)],
    ...(engine.asItIs && { asItIs: engine.asItIs }),
    onClientAbort: deployment.onClientAbort,
    ...(deployment.limits && { limits: deployment.limits }),
  };
  if (external) {
    const keyFile = external.key && join(secretsDir, `${deployment.name}-upstream`);
    if (keyFile && external.key)
      await world.files.write(keyFile, await resolveSecret(world, external.key), 0o600);
    return [
      {
        ...base,
        id: deployment.name,
        url: external.url,
        model: external.servedModel,
        slots: external.slots,
        keyFile,
        ...(keyFile && { lentKey: true }),
        metricsPath: external.metricsPath,
        healthPath: external.healthPath,
        ...(external.streamUsage === false && { streamUsage: false }),
        ...(external.caFile === null ? {} : { caFile: external.caFile }),
      },
    ];
  }
  const own = engines.filter(({ mark }) => mark.deployment === deployment.name);
  return Promise.all(
    own.map(async ({ mark, machine, share, keyFile }) => {
      const host = await (machine === undefined
        ? worldOfHost(world, loaded.hosts, deployment.host)
        : worldOfInstance(world, loaded.hosts, { host: machine }));
      const { modelsPath } = engineOf(mark.spec.engine);
      const id = replicaName(deployment.name, mark.replica, deployment.replicas);
      return {
        ...base,
        // No deployment has such a name.
        ...(share === undefined ? { id } : { id: `${id}~new`, takesOver: { from: id, share } }),
        ...(await reachedAt(host, urlOf(mark))),
        model: mark.spec.servedModel,
        slots: mark.spec.slots,
        keyFile: keyFile === undefined ? sentKeyFile(host, mark) : keyFile,
        metricsPath: mark.spec.metricsPath,
        healthPath: mark.spec.readiness.path,
        ...(modelsPath !== undefined && { modelsPath }),
        ...(host.machine === thisMachine && mark.target.kind === 'process' && { logFile: mark.logFile }),
      };
    }),
  );
}

/** Where the gateway finds an engine: by a way of its own where that is on the loopback of another machine. */
async function reachedAt(host: World, there: string): Promise<Pick<Upstream, 'url' | 'origin'>> {
  const url = await host.reach(there);
  if (url === there) return { url };
  const { machine, identity } = host;
  return { url, origin: { machine, url: there, ...(identity !== undefined && { identity }) } };
}

/** One route for each deployment under its own name, then what the file names; the file's own win. */
export function routesOf(loaded: LoadedFleet): Route[] {
  const routes = new Map<string, Route>();
  for (const { name } of loaded.deployments)
    routes.set(name, { name, to: [{ deployment: name, weight: 1 }], aliasOf: null });
  for (const [name, entry] of Object.entries(loaded.gateway.routes)) {
    const target = typeof entry === 'string' ? entry : entry.to;
    const to =
      typeof target === 'string'
        ? [{ deployment: target, weight: 1 }]
        : Object.entries(target).map(([deployment, weight]) => ({ deployment, weight }));
    const { aliases, fallback, hold, shadow, ...rest } = typeof entry === 'string' ? { aliases: [] } : entry;
    const route = {
      ...rest,
      ...(hold !== undefined && { holdMs: hold }),
      ...(fallback && { fallback: fallbackOf(fallback) }),
      ...(shadow && { shadow: { deployment: shadow.to, percent: shadow.percent } }),
      name,
      to,
      aliasOf: null,
    };
    routes.set(name, route);
    for (const alias of aliases) routes.set(alias, { ...route, name: alias, aliasOf: name });
  }
  for (const [name, { arms, split, by, metric }] of Object.entries(loaded.experiments)) {
    const to = Object.values(arms).map((deployment, i) => ({ deployment, weight: split?.[i] ?? 1 }));
    routes.set(name, { name, to, split: { by }, measure: measureOf(metric), aliasOf: null });
  }
  return [...routes.values()];
}
