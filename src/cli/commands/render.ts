import { isAbsolute, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { ClusterGateway } from '../../domain/cluster-gateway.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { gpusByNumber } from '../../fleet/plan/gpus-by-number.ts';
import { launchSpecOf } from '../../fleet/plan/launch-spec-of.ts';
import { engineKeyOf, makeEngineKey } from '../../fleet/apply/engine-key.ts';
import { clusterGateway, usualPods } from '../../fleet/cluster-gateway/wanted.ts';
import { insideFile } from '../../fleet/gateway/inside-file.ts';
import { usualPorts } from '../../fleet/plan/ports.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { countOption } from '../count-option.ts';
import type {
  RenderedBenchmark,
  RenderedDeployment,
  RenderFormat,
  RenderOutput,
} from '../../render/contract.ts';
import { renderFormats } from '../../render/registry.ts';
import type { CliContext } from '../context.ts';
import { renderedBenchmark, runsInCluster } from '../rendered-benchmarks.ts';
import { writeRendered } from '../write-rendered.ts';
import type { WrittenFolder } from '../write-rendered.ts';
import { addFileOption, loadAsWritten } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth render --format kubernetes', 'Prints manifests for all deployments of the fleet file.'],
  ['berth render --format systemd --out units', 'Writes units of systemd below ./units/etc.'],
  [
    'berth render --format systemd --user-home /home/op --out units',
    'Writes units for the manager of the user op.',
  ],
  ['berth render --format compose --out compose', 'Writes a compose file for containers.'],
  [
    'berth render --format kustomize --out deploy --gateway registry.lab/berth:0.1.0',
    'Writes the gateway beside the engines, as two pods.',
  ],
  ['berth render mistral --format kustomize --out deploy', 'Writes a base for kustomize below ./deploy.'],
] as const;

interface RenderOptions extends FileOptions {
  readonly format: string;
  readonly out?: string;
  readonly namespace?: string;
  readonly gateway?: string;
  readonly gatewayReplicas?: number;
  readonly userHome?: string;
}

export function configure(command: Command, context: CliContext): void {
  const kinds = renderFormats.map(({ kind }) => kind);
  addFileOption(command.argument('[names...]', 'deployments and benchmarks; default: all'))
    .addOption(
      new Option('--format <format>', 'what to write: ' + kinds.join(', '))
        .choices(kinds)
        .makeOptionMandatory(),
    )
    .option('--out <folder>', 'write the files there; without it they are printed')
    .option('--namespace <name>', 'namespace of the cluster that is written into the files')
    .option(
      '--gateway <image>',
      'write the gateway too, as pods of this image (made by the Containerfile); default: as gateway.host and image say',
    )
    .option(
      '--gateway-replicas <count>',
      'how many of them; default: as the file says, or 2',
      countOption(1, 100),
    )
    .option(
      '--user-home <folder>',
      "write units for the manager of a user whose home that is, in place of the system's",
      absoluteFolder,
    )
    .action(async (names: string[], options: RenderOptions) => {
      const loaded = await loadAsWritten(context, options);
      const format: RenderFormat | undefined = renderFormats.find(({ kind }) => kind === options.format);
      if (!format) return;
      const namespace = options.namespace ?? namespaceOf(loaded, options);
      const deployments = expectWritable(format, deploymentsOf(context, loaded, names));
      // The commands that are printed read it.
      for (const one of deployments) await makeEngineKey(context.world, one);
      const rendered = format.render({
        fleet: loaded.fleet,
        fleetId: loaded.fleetId,
        namespace,
        deployments,
        benchmarks: await benchmarksOf(context, loaded, names, {
          ...options,
          cluster: format.benchmarks ?? null,
        }),
        gateway: await gatewayOf(context, { loaded, format, names, namespace }, options),
        userHome: userHomeOf(format, options),
      });
      const folder =
        options.out === undefined
          ? null
          : await writeRendered(context.world, resolve(context.cwd, options.out), {
              rendered: rendered.files,
              by: `${loaded.fleet}/${format.kind}`,
              whole: names.length === 0,
            });
      tell(context, rendered, folder);
      context.output.result(
        { ...rendered, written: null, removed: [], left: [], ...folder },
        () => folder?.written.join('\n') ?? textOf(rendered),
      );
    });
}

/** Where the file's own gateway goes, since its rights are of one namespace; else whoever applies the files says it. */
function namespaceOf({ hosts, gateway: { host } }: LoadedFleet, { gateway }: RenderOptions): string | null {
  if (gateway !== undefined || host === undefined) return null;
  return hosts[host]?.kubernetes?.namespace ?? null;
}

function tell({ output }: CliContext, { needs }: RenderOutput, folder: WrittenFolder | null): void {
  for (const need of needs) output.progress(need);
  for (const path of folder?.removed ?? []) output.progress(`${path} is gone: it is no longer written.`);
  for (const path of folder?.left ?? [])
    output.progress(`${path} is no longer written, and stays: somebody has changed it.`);
}

function absoluteFolder(text: string): string {
  if (isAbsolute(text)) return text;
  throw new InvalidArgumentError('It must be a path that begins with "/".');
}

function userHomeOf({ kind, forUsers }: RenderFormat, { userHome }: RenderOptions): string | null {
  if (userHome === undefined) return null;
  if (forUsers !== true) throw new BerthError('FORMAT_NOT_FOR_USERS', { format: kind });
  return userHome;
}

/** The one that the command line names, else that of the file where all of it is written for a cluster. */
async function gatewayOf(
  { world, cwd }: CliContext,
  {
    loaded,
    format,
    names,
    namespace,
  }: { loaded: LoadedFleet; format: RenderFormat; names: readonly string[]; namespace: string | null },
  { file: files, gateway: named, gatewayReplicas }: RenderOptions,
): Promise<ClusterGateway | null> {
  if (named === undefined && (!format.gateway || names.length > 0)) return null;
  const image = named ?? loaded.gateway.image;
  if (image === undefined) return null;
  const inside = loaded.inside ?? (await insideFile(world, loaded, { files, cwd }));
  const refused = format.gateway?.(namespace) ?? null;
  const reason = format.gateway ? (refused ?? inside.obstacles[0]) : 'only formats of a cluster have one';
  if (reason !== undefined) throw new BerthError('GATEWAY_NOT_WRITTEN', { format: format.kind, reason });
  return clusterGateway(world, loaded, {
    inside,
    image,
    replicas: gatewayReplicas ?? loaded.gateway.replicas ?? usualPods,
  });
}

/** Those whose client runs in a cluster, or by a schedule on a machine: whichever the format writes. */
async function benchmarksOf(
  { world, cwd }: CliContext,
  loaded: LoadedFleet,
  names: readonly string[],
  {
    file,
    gateway,
    cluster,
  }: Pick<RenderOptions, 'file' | 'gateway'> & { cluster: RenderFormat['benchmarks'] | null },
): Promise<RenderedBenchmark[]> {
  const all = Object.entries(loaded.benchmarks).filter(
    ([name]) => names.length === 0 || names.includes(name),
  );
  const wanted = all.filter(([name, { schedule }]) =>
    cluster === 'cluster'
      ? runsInCluster(loaded, name)
      : cluster === 'machine' && !runsInCluster(loaded, name) && schedule !== undefined,
  );
  const how = { files: file, cwd, image: gateway };
  return Promise.all(wanted.map(([name]) => renderedBenchmark(world, loaded, name, how)));
}

/** Nothing of this machine goes in: the files are for another one. */
function deploymentsOf(
  { world }: CliContext,
  loaded: LoadedFleet,
  names: readonly string[],
): RenderedDeployment[] {
  const known = [...loaded.deployments.map((one) => one.name), ...Object.keys(loaded.benchmarks)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BerthError('DEPLOYMENT_UNKNOWN', { name: unknown, known });
  // All of them, since what is rendered alone has the GPUs that it has among the others.
  const all = loaded.deployments.flatMap((deployment) => {
    const key = engineKeyOf(world, loaded, deployment);
    const spec = launchSpecOf(deployment, { cores: null, help: null, key });
    return spec ? [{ deployment, spec }] : [];
  });
  const each = all.flatMap(({ deployment, spec }) =>
    Array.from({ length: deployment.replicas }, (_, replica) => ({ deployment, replica, spec })),
  );
  const numbers = gpusByNumber(each);
  return all.flatMap(({ deployment, spec }) => {
    const { name, replicas, port, target, declared, host } = deployment;
    if (names.length > 0 && !names.includes(name)) return [];
    const { ports = usualPorts, reserve = [] } = loaded.hosts[host] ?? {};
    const gpus = numbers.filter((_, at) => each[at]?.deployment === deployment);
    return [{ name, replicas, port, target, spec, declared, pool: ports, reserve, gpus }];
  });
}

function expectWritable(
  format: RenderFormat,
  deployments: readonly RenderedDeployment[],
): readonly RenderedDeployment[] {
  for (const one of deployments) {
    const reason = format.refuses(one);
    if (reason !== null)
      throw new BerthError('FORMAT_REFUSES', { deployment: one.name, format: format.kind, reason });
  }
  return deployments;
}

function textOf({ files }: RenderOutput): string {
  const printed = files.filter(({ index }) => !index);
  return printed.map(({ path, text }) => `# ${path}\n${text.trimEnd()}`).join('\n---\n');
}
