import { BerthError } from '../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../domain/host-access.ts';
import { isAddress } from '../domain/model-source.ts';
import { sshTyped } from '../domain/ssh-typed.ts';
import { makeEngineKey } from '../fleet/apply/engine-key.ts';
import { hostNameOf } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { RenderedFile, RenderFormat } from '../render/contract.ts';
import type { CliContext } from './context.ts';
import { belongsTo, placeOfHost, renderPlaces } from './render-places.ts';
import type { RenderPlace } from './render-places.ts';
import { renderedBenchmark, runsInCluster } from './rendered-benchmarks.ts';
import { renderedDeployments } from './rendered-deployments.ts';
import type { PlacedDeployment } from './rendered-deployments.ts';
import { renderedGateway, writesGateway } from './rendered-gateway.ts';
import type { GatewayOptions } from './rendered-gateway.ts';

/** What the command line says of what is written, beside the format. */
export interface RenderWishes extends GatewayOptions {
  /** Deployments and benchmarks; none: all of the fleet. */
  readonly names: readonly string[];
  readonly host?: string;
  readonly namespace?: string;
  readonly userHome: string | null;
}

/** A fleet as one format writes it. */
export interface RenderedFleet {
  readonly files: readonly RenderedFile[];
  readonly needs: readonly string[];
  /** Hosts that have a folder of their own in it; none where all is for one. */
  readonly hosts: readonly string[];
}

interface Parts {
  readonly deployments: readonly PlacedDeployment[];
  readonly benchmarks: readonly { readonly name: string; readonly host: string }[];
  /** The host of the file that the gateway goes to; null: to whichever is written. */
  readonly gateway: { readonly host: string | null } | null;
}

/** Writes a fleet, host by host. Throws why a part of it cannot be written. */
export async function renderFleet(
  context: CliContext,
  loaded: LoadedFleet,
  format: RenderFormat,
  wishes: RenderWishes,
): Promise<RenderedFleet> {
  const { names } = wishes;
  expectKnown(loaded, wishes);
  const parts = await partsOf(context, loaded, { format, wishes });
  const all = renderPlaces(loaded.hosts, hostsOf(parts), format);
  const chosen = wishes.host === undefined ? all : [placeOfHost(loaded.hosts, wishes.host)];
  const written = chosen
    .map((place) => ({ place, ...partsAt(parts, place, names) }))
    .filter((one) => one.deployments.length + one.benchmarks.length > 0 || one.gateway);
  if (parts.gateway?.host === null && written.filter(({ gateway }) => gateway).length > 1)
    throw new BerthError('GATEWAY_NOT_WRITTEN', {
      format: format.kind,
      reason: 'there are several hosts, and neither gateway.host nor --host says which has it',
    });
  const outputs = [];
  for (const one of written) outputs.push(await renderPart(context, loaded, { format, wishes, ...one }));
  return {
    files: outputs.flatMap(({ files }) => files),
    needs: outputs.flatMap(({ needs }) => needs),
    hosts: written.flatMap(({ place: { host, folder } }) => (host === null || folder === '' ? [] : [host])),
  };
}

function expectKnown(loaded: LoadedFleet, { names, host }: RenderWishes): void {
  const known = [...loaded.deployments.map((one) => one.name), ...Object.keys(loaded.benchmarks)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BerthError('DEPLOYMENT_UNKNOWN', { name: unknown, known });
  if (host !== undefined && !Object.hasOwn(loaded.hosts, host))
    throw new BerthError('HOST_UNKNOWN', { name: host, known: Object.keys(loaded.hosts) });
}

/** Of the whole fleet, since what is written alone has the folder, ports and GPUs that it has among the others. */
async function partsOf(
  { world }: CliContext,
  loaded: LoadedFleet,
  { format, wishes }: { format: RenderFormat; wishes: RenderWishes },
): Promise<Parts> {
  const here = hostNameOf(loaded.hosts, { host: thisMachine });
  return {
    deployments: await renderedDeployments(world, loaded),
    benchmarks: Object.entries(loaded.benchmarks).flatMap(([name, { runsOn = here, schedule }]) => {
      const inCluster = runsInCluster(loaded, name);
      const fits = format.place === 'cluster' ? inCluster : !inCluster && schedule !== undefined;
      return format.benchmarks && fits ? [{ name, host: runsOn }] : [];
    }),
    gateway: writesGateway(loaded, wishes, { format, names: wishes.names })
      ? { host: loaded.gateway.host ?? null }
      : null,
  };
}

function hostsOf({ deployments, benchmarks, gateway }: Parts): string[] {
  return [
    ...deployments.map(({ host }) => host),
    ...benchmarks.map(({ host }) => host),
    gateway?.host ?? [],
  ].flat();
}

interface PartsOfPlace {
  readonly deployments: readonly PlacedDeployment[];
  readonly benchmarks: readonly string[];
  readonly gateway: boolean;
}

function partsAt(parts: Parts, { has }: RenderPlace, names: readonly string[]): PartsOfPlace {
  function wanted({ name, host }: { name: string; host: string }): boolean {
    return has(host) && (names.length === 0 || names.includes(name));
  }
  const { gateway } = parts;
  return {
    deployments: parts.deployments.filter(wanted),
    benchmarks: parts.benchmarks.filter(wanted).map(({ name }) => name),
    gateway: gateway !== null && (gateway.host === null || has(gateway.host)),
  };
}

async function renderPart(
  context: CliContext,
  loaded: LoadedFleet,
  {
    format,
    wishes,
    place,
    ...parts
  }: PartsOfPlace & { format: RenderFormat; wishes: RenderWishes; place: RenderPlace },
): Promise<Pick<RenderedFleet, 'files' | 'needs'>> {
  const { world, cwd } = context;
  const cluster = place.host === null ? undefined : loaded.hosts[place.host]?.kubernetes;
  const namespace = wishes.namespace ?? cluster?.namespace ?? null;
  const { createNamespace = false } = cluster ?? {};
  const deployments = expectWritable(loaded, format, parts.deployments);
  // The commands that are printed read it.
  for (const one of deployments)
    await makeEngineKey(world, { ...loaded, deployment: one.name, spec: one.spec });
  const how = { files: wishes.file, cwd, image: wishes.gateway };
  const { files, needs } = format.render({
    fleet: loaded.fleet,
    fleetId: loaded.fleetId,
    namespace,
    newNamespace: createNamespace === true ? {} : createNamespace || null,
    deployments,
    benchmarks: await Promise.all(
      parts.benchmarks.map((name) => renderedBenchmark(world, loaded, name, how)),
    ),
    gateway: parts.gateway ? await renderedGateway(context, loaded, { ...wishes, format, namespace }) : null,
    ssh: sshTo(loaded, place),
    userHome: wishes.userHome,
  });
  return {
    files: files.map((file) => ({ ...file, path: `${place.folder}${file.path}` })),
    needs: [belongsTo(loaded.hosts, place) ?? [], needs].flat(),
  };
}

function sshTo({ hosts }: LoadedFleet, { host }: RenderPlace): string | null {
  const access = host === null ? undefined : hosts[host];
  return access?.ssh === undefined ? null : sshTyped(machineOf(access));
}

function expectWritable(
  loaded: LoadedFleet,
  format: RenderFormat,
  deployments: readonly PlacedDeployment[],
): readonly PlacedDeployment[] {
  for (const one of deployments) {
    const reason = format.refuses(one) ?? (format.place === 'machine' ? unfetched(loaded, one) : null);
    if (reason !== null)
      throw new BerthError('FORMAT_REFUSES', { deployment: one.name, format: format.kind, reason });
  }
  return deployments;
}

/** An engine that opens a file of a machine cannot open an address, and no unit or container fetches it first. */
function unfetched({ hosts }: LoadedFleet, { name, host, spec }: PlacedDeployment): string | null {
  const address = [spec.model, spec.mmproj].find((path) => path !== null && isAddress(path));
  if (address === undefined || address === null) return null;
  return machineOf(hosts[host]) === thisMachine
    ? `${address} has not been fetched; "berth pull ${name}" does so`
    : `nobody fetches ${address} there; write the path that it has on ${host} as the source`;
}
