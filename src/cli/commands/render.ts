import { join, resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { launchSpecOf } from '../../fleet/plan/desired.ts';
import { engineKeyOf } from '../../fleet/apply/engine-key.ts';
import { usualPorts } from '../../fleet/plan/ports.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { RenderedDeployment, RenderFormat, RenderOutput } from '../../render/contract.ts';
import { renderFormats } from '../../render/registry.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadAsWritten } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth render --format kubernetes', 'Prints manifests for all deployments of the fleet file.'],
  ['berth render --format systemd --out units', 'Writes units of systemd below ./units/etc.'],
  ['berth render --format compose --out compose', 'Writes a compose file for containers.'],
  ['berth render mistral --format kustomize --out deploy', 'Writes a base for kustomize below ./deploy.'],
] as const;

interface RenderOptions extends FileOptions {
  readonly format: string;
  readonly out?: string;
  readonly namespace?: string;
}

export function configure(command: Command, context: CliContext): void {
  const kinds = renderFormats.map(({ kind }) => kind);
  addFileOption(command.argument('[names...]', 'deployments; default: all that berth starts'))
    .addOption(
      new Option('--format <format>', 'what to write: ' + kinds.join(', '))
        .choices(kinds)
        .makeOptionMandatory(),
    )
    .option('--out <folder>', 'write the files there; without it they are printed')
    .option('--namespace <name>', 'namespace of the cluster that is written into the files')
    .action(async (names: string[], options: RenderOptions) => {
      const loaded = await loadAsWritten(context, options);
      const format: RenderFormat | undefined = renderFormats.find(({ kind }) => kind === options.format);
      if (!format) return;
      const rendered = format.render({
        fleet: loaded.fleet,
        fleetId: loaded.fleetId,
        namespace: options.namespace ?? null,
        deployments: expectWritable(format, deploymentsOf(context, loaded, names)),
      });
      const written = options.out === undefined ? null : await write(context, options.out, rendered);
      for (const need of rendered.needs) context.output.progress(need);
      context.output.result({ ...rendered, written }, () => written?.join('\n') ?? textOf(rendered));
    });
}

/** Nothing of this machine goes in: the files are for another one. */
function deploymentsOf(
  { world }: CliContext,
  loaded: LoadedFleet,
  names: readonly string[],
): RenderedDeployment[] {
  const known = loaded.deployments.map((one) => one.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BerthError('DEPLOYMENT_UNKNOWN', { name: unknown, known });
  return loaded.deployments.flatMap((deployment) => {
    const { name, replicas, port, target, declared, host } = deployment;
    if (names.length > 0 && !names.includes(name)) return [];
    const key = engineKeyOf(world, loaded, deployment);
    const spec = launchSpecOf(deployment, { cores: null, help: null, key });
    if (!spec) return [];
    const { ports = usualPorts, reserve = [] } = loaded.hosts[host] ?? {};
    return [{ name, replicas, port, target, spec, declared, pool: ports, reserve }];
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

async function write({ world, cwd }: CliContext, folder: string, { files }: RenderOutput): Promise<string[]> {
  const written: string[] = [];
  for (const { path, text } of files) {
    const place = join(resolve(cwd, folder), path);
    await world.files.write(place, text, 0o644);
    written.push(place);
  }
  return written;
}

function textOf({ files }: RenderOutput): string {
  return files.map(({ path, text }) => `# ${path}\n${text.trimEnd()}`).join('\n---\n');
}
