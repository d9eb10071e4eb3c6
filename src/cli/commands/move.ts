import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { engineOf } from '../../engines/registry.ts';
import { expectNamed } from '../../fleet/apply/expect-named.ts';
import type { Deployment, LoadedFleet } from '../../fleet/file/resolve.ts';
import {
  destinationOf,
  destinationsOf,
  lostAt,
  movedTo,
  placeName,
} from '../../fleet/relocate/destination.ts';
import type { Destination } from '../../fleet/relocate/destination.ts';
import { easing } from '../../fleet/relocate/ease.ts';
import { fileWith, worldWith } from '../../fleet/relocate/edited-file.ts';
import type { EditedFile } from '../../fleet/relocate/edited-file.ts';
import { optionOf, planOf } from '../../fleet/relocate/option.ts';
import type { Option } from '../../fleet/relocate/option.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import { consents, reportApply } from '../carry-out.ts';
import { beforeKilled, carryOutEdit, lockEdit, undoEdit } from '../carry-out-edit.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { addShiftOptions, shiftOf } from '../shift-options.ts';
import { optionsText, stepsText } from '../text/option-text.ts';

export const examples = [
  ['berth move mistral', 'Where it could run, and what each place would cost and free. Changes nothing.'],
  ['berth move mistral --to far', 'To that host: starts there, takes the requests over, ends here.'],
  ['berth move mistral --to systemd', 'By that target on the host where it is; HOST/TARGET says both.'],
  ['berth move mistral --to far --dry-run', 'What that would do, and why.'],
  ['berth move mistral --undo', 'After a move that was killed: file and engines as they were before it.'],
] as const;

interface MoveOptions extends FileOptions {
  readonly to?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly atOnce?: boolean;
  readonly stepTime?: number;
}

interface Candidate {
  readonly place: Destination;
  readonly file: EditedFile;
  readonly option: Option;
}

export function configure(command: Command, context: CliContext): void {
  addShiftOptions(addFileOption(command))
    .argument('<deployment>', 'the deployment that is to run elsewhere')
    .option('--to <place>', 'a host, a target, or HOST/TARGET; without it the places are compared')
    .option('--undo', 'bring back what was before a move that was broken off')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .option('--dry-run', 'show the plan and do nothing')
    .action(async (name: string, options: MoveOptions) => {
      const { output } = context;
      const now = await loadFrom(context, options);
      expectNamed([name], now);
      const { path } = await fileWith(context.world, now, ['deployments', name]);
      if (options.undo) return undo(context, { options, name, path });
      const by = `move ${name}`;
      const changes = options.to !== undefined && !options.dryRun;
      using _lock = changes ? await lockEdit(context, path, by) : null;
      const begun = (await beforeKilled(context, path, { by, changes }))?.context ?? context;
      const loaded = await loadFrom(begun, options);
      const deployment = movable(loaded, name);
      const gateway = (await readUpState(context.world, loaded)) !== null;
      const places =
        options.to === undefined
          ? destinationsOf(loaded.hosts, deployment)
          : [destinationOf(loaded.hosts, deployment, options.to)];
      const candidates: Candidate[] = [];
      for (const place of places)
        candidates.push(await candidateOf(begun, { options, loaded, deployment, place }));
      const [chosen] = candidates;
      const told = { deployment: name, now: placeName(placeOf(deployment)), gateway };
      if (options.to === undefined || options.dryRun || !chosen) {
        const compared = candidates.map((one) => one.option);
        const [only] = options.to === undefined ? [] : compared;
        output.result({ ...told, options: compared }, () =>
          `${comparison(told, compared)}\n${only ? stepsText(only) : ''}`.trimEnd(),
        );
        return;
      }
      output.progress(`${comparison(told, [chosen.option])}\n${stepsText(chosen.option)}`.trimEnd());
      await carry(context, { options, name, chosen });
    });
}

async function undo(
  context: CliContext,
  { options, name, path }: { options: MoveOptions; name: string; path: string },
): Promise<void> {
  const carried = await undoEdit(context, {
    path,
    command: 'move',
    by: `move ${name}`,
    replan: async (now) => planOf(now.world, await loadFrom(now, options), [name]),
  });
  reportApply(context, carried.plan, carried);
}

function placeOf({ host, target }: Deployment): Destination {
  return { host, target: target.kind };
}

/** Throws DEPLOYMENT_UNKNOWN, and NOT_STARTED_HERE for a server that berth only reaches. */
function movable(loaded: LoadedFleet, name: string): Deployment {
  expectNamed([name], loaded);
  const deployment = loaded.deployments.find((one) => one.name === name);
  if (!deployment || !engineOf(deployment.engine.kind).launch)
    throw new BerthError('NOT_STARTED_HERE', { deployment: name });
  return deployment;
}

async function candidateOf(
  context: CliContext,
  {
    options,
    loaded,
    deployment,
    place,
  }: { options: MoveOptions; loaded: LoadedFleet; deployment: Deployment; place: Destination },
): Promise<Candidate> {
  const { world } = context;
  const { name } = deployment;
  const { path, text } = await fileWith(world, loaded, ['deployments', name]);
  const file = { path, before: text, after: movedTo(text, deployment, place) };
  const overlaid = worldWith(world, file);
  const option = await optionOf(overlaid, {
    name: placeName(place),
    only: [name],
    hosts: [deployment.host, place.host],
    notes: lostAt(deployment, place),
    load: () => loadFrom({ ...context, world: overlaid }, options),
  });
  return { place, file, option };
}

function comparison(
  { deployment, now, gateway }: { deployment: string; now: string; gateway: boolean },
  options: readonly Option[],
): string {
  return [
    `${deployment} is to run at ${now}, as the file says.`,
    optionsText(options),
    ...(gateway
      ? []
      : [
          'No gateway of this fleet runs here: whoever asks an engine by its own address is cut off when that ends.',
        ]),
  ].join('\n');
}

/** Throws MOVE_REFUSED. */
async function carry(
  context: CliContext,
  { options, name, chosen }: { options: MoveOptions; name: string; chosen: Candidate },
): Promise<void> {
  const { plan, refusals } = chosen.option;
  const command = 'move';
  if (!plan) throw new BerthError('MOVE_REFUSED', { what: name, to: placeName(chosen.place), refusals });
  if (!(await consents(context, plan, { yes: options.yes, command }))) return;
  const { ease, steps } = easing({ ...shiftOf(context, options), world: context.world });
  const carried = await carryOutEdit(context, {
    file: chosen.file,
    plan,
    command,
    by: `move ${name}`,
    yes: options.yes,
    ease: options.atOnce ? undefined : ease,
    replan: async (now) => planOf(now.world, await loadFrom(now, options), [name]),
  });
  reportApply(context, carried.plan, { ...carried, also: { shift: steps } });
}
