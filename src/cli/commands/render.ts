import { isAbsolute, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { renderFormats } from '../../render/registry.ts';
import type { RenderFormat } from '../../render/contract.ts';
import type { CliContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addFileOption, loadAsWritten, withStored } from '../fleet-file.ts';
import { renderFleet } from '../render-fleet.ts';
import type { RenderedFleet } from '../render-fleet.ts';
import type { GatewayOptions } from '../rendered-gateway.ts';
import { namespaceOption } from '../namespace-option.ts';
import { writeRendered } from '../write-rendered.ts';
import type { WrittenFolder } from '../write-rendered.ts';

export const examples = [
  ['berth render --format kubernetes', 'Prints manifests for all deployments of the fleet file.'],
  ['berth render --format systemd --out units', 'Writes units of systemd below ./units/etc.'],
  [
    'berth render --format systemd --user-home /home/op --out units',
    'Writes units for the manager of the user op.',
  ],
  ['berth render --format quadlet --host gpu1 --out gpu1', 'Writes what is for one host of several.'],
  ['berth render --format compose --out compose', 'Writes a compose file for containers.'],
  [
    'berth render --format kustomize --out deploy --gateway registry.lab/berth:0.1.0',
    'Writes the gateway beside the engines, as two pods.',
  ],
  [
    'berth render mistral --format kustomize --out deploy',
    'Writes a base for kustomize with components and an overlay below ./deploy.',
  ],
] as const;

interface RenderOptions extends GatewayOptions {
  readonly format: string;
  readonly out?: string;
  readonly host?: string;
  readonly namespace?: string;
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
    .option(
      '--namespace <name>',
      'namespace of the cluster that is written into the files; default: that of the host',
      namespaceOption,
    )
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
    .option('--host <name>', 'write what is for this host of the fleet file alone')
    .action(async (names: string[], options: RenderOptions) => {
      const format: RenderFormat | undefined = renderFormats.find(({ kind }) => kind === options.format);
      if (!format) return;
      const written = await loadAsWritten(context, options);
      // A cluster has no store; what is for this machine is what an apply would start.
      const loaded = format.place === 'cluster' ? written : await withStored(context.world, written);
      const rendered = await renderFleet(context, loaded, format, {
        ...options,
        names,
        userHome: userHomeOf(format, options),
      });
      const { out } = options;
      if (out === undefined && rendered.hosts.length > 1 && !context.output.json)
        throw new BerthError('HOSTS_NOT_PRINTED', { hosts: rendered.hosts });
      const folder =
        out === undefined
          ? null
          : await writeRendered(context.world, resolve(context.cwd, out), {
              rendered: rendered.files,
              by: [loaded.fleet, format.kind, options.host ?? []].flat().join('/'),
              whole: names.length === 0,
            });
      tell(context, rendered, folder);
      context.output.result(
        { ...rendered, written: null, removed: [], left: [], changed: [], ...folder },
        () => folder?.written.join('\n') ?? textOf(rendered),
      );
    });
}

function tell({ output }: CliContext, { needs }: RenderedFleet, folder: WrittenFolder | null): void {
  for (const need of needs) output.progress(need);
  for (const path of folder?.removed ?? []) output.progress(`${path} is gone: it is no longer written.`);
  for (const path of folder?.changed ?? [])
    output.progress(`${path} had been changed by somebody, and is written anew.`);
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

function textOf({ files }: RenderedFleet): string {
  const printed = files.filter(({ index, beside }) => !index && !beside);
  return printed.map(({ path, text }) => `# ${path}\n${text.trimEnd()}`).join('\n---\n');
}
