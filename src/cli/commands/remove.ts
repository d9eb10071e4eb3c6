import type { Command } from 'commander';
import { parseObject } from '../../audit/remove/kinds.ts';
import { removeKept } from '../../audit/remove/remove.ts';
import type { Removal } from '../../audit/remove/remove.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import { takeHostLocks } from '../../fleet/apply/host-locks.ts';
import { accessOf, worldOn } from '../../fleet/file/hosts.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { fleetIfAny } from '../observe-here.ts';

export const examples = [
  ['berth remove unit:kimi-cpu.service', 'Stops and removes that unit, after a yes; its files are kept.'],
  [
    'berth remove container:kimi-old process:4711',
    'A container, and a server that somebody started by hand.',
  ],
  [
    'berth remove service:llm/kimi-vl pvc:llm/kimi-models --context k3s',
    'Objects of a cluster that nobody uses any longer.',
  ],
  ['berth remove unit:kimi-cpu.service --dry-run', 'What that would be.'],
] as const;

interface RemoveOptions extends FileOptions {
  readonly host?: string;
  readonly context?: string;
  readonly withData?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<objects...>', 'objects that are not of a fleet, as KIND:NAME')
    .option('--host <name>', 'the host of the fleet file that they are on')
    .option('--context <name>', 'the context of kubectl, where no host of the fleet file is that cluster')
    .option('--with-data', 'also what no undo brings back, such as the data of a claim')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would be removed, and do nothing')
    .action(async (texts: string[], options: RemoveOptions) => {
      const removals = await findAll(context, texts, options);
      const named = removals.map(({ kind, name, found }) => ({
        object: `${kind}:${name}`,
        what: found.what,
        loses: found.loses,
      }));
      const lines = named.map(({ what, loses }) => `  ${what}${loses === null ? '' : `. ${loses}`}`);
      if (options.dryRun)
        return context.output.result({ would: named }, () => ['Would be removed:', ...lines].join('\n'));
      context.output.progress(['To be removed:', ...lines].join('\n'));
      expectKept(removals, options);
      if (!(await agrees(context, options))) return;
      await removeAll(context, removals);
    });
}

/** All are found before any is removed. */
async function findAll(
  context: CliContext,
  texts: readonly string[],
  options: RemoveOptions,
): Promise<Removal[]> {
  const parsed = texts.map(parseObject);
  const found: Removal[] = [];
  for (const { removable, name } of parsed) {
    const host = await hostOf(context, removable.inCluster, options);
    const world = await worldOn(context.world, host);
    found.push({ kind: removable.kind, name, host, found: await removable.find(world, name) });
  }
  return found;
}

/** This machine, or the one cluster that is meant. Throws USAGE. */
async function hostOf(context: CliContext, inCluster: boolean, options: RemoveOptions): Promise<HostAccess> {
  if (inCluster && options.context !== undefined)
    return {
      become: 'none',
      kubernetes: { context: options.context, namespace: 'default', createNamespace: false },
    };
  const hosts = (await fleetIfAny(context, options))?.hosts ?? {};
  if (options.host !== undefined) {
    const host = hosts[options.host];
    if (!host) throw usage(`There is no host "${options.host}" in the fleet file.`);
    if ((host.kubernetes !== undefined) !== inCluster)
      throw usage(`The host ${options.host} has no object of this kind.`);
    return accessOf(host);
  }
  if (!inCluster) return accessOf(hosts['local']);
  const clusters = Object.values(hosts).filter((one) => one.kubernetes !== undefined);
  const contexts = new Set(clusters.map((one) => one.kubernetes?.context));
  const [only] = clusters;
  if (only && contexts.size === 1) return accessOf(only);
  throw usage(
    contexts.size === 0
      ? 'The fleet file names no cluster: say which one with --context.'
      : 'The fleet file names several clusters: say which one with --host.',
  );
}

function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'remove' });
}

function expectKept(removals: readonly Removal[], { withData }: RemoveOptions): void {
  const lost = removals.find(({ kind, found }) => kind === 'pvc' && found.loses !== null);
  if (lost && !withData)
    throw usage(`${lost.found.loses} --with-data says that this is meant (${lost.kind}:${lost.name}).`);
}

async function agrees({ ask, output, exit }: CliContext, { yes }: RemoveOptions): Promise<boolean> {
  if (yes) return true;
  if (!ask) throw usage('Nobody is here who could say yes; --yes removes without asking.');
  if (/^y(es)?$/i.test((await ask('Remove this? Definitions are kept. [y/N] ')).trim())) return true;
  output.progress('Nothing was done.');
  exit(exitCodes.interrupted);
  return false;
}

async function removeAll(context: CliContext, removals: readonly Removal[]): Promise<void> {
  const { world, output } = context;
  using _locks = await takeHostLocks(
    world,
    removals.map((one) => one.host),
    { who: 'berth remove', onProgress: output.progress, signal: context.signal },
  );
  const removed: { object: string; kept: string; undo: string }[] = [];
  for (const removal of removals) {
    const { id, file } = await removeKept(world, removal);
    const undo = `berth restore ${id}`;
    output.progress(`Removed ${removal.found.what}. Undo: ${undo}`);
    removed.push({ object: `${removal.kind}:${removal.name}`, kept: file, undo });
  }
  output.result({ removed }, () =>
    removed.map(({ object, kept, undo }) => `${object}: kept in ${kept}. Undo: ${undo}`).join('\n'),
  );
}
