import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { expectNamed } from '../../fleet/apply/expect-named.ts';
import type { Ease } from '../../fleet/apply/handover.ts';
import { standingAfter, standingOf } from '../../fleet/consolidate/standing.ts';
import type { Standing } from '../../fleet/consolidate/standing.ts';
import { consolidationOf } from '../../fleet/consolidate/steps.ts';
import type { Known, Step, Wishes } from '../../fleet/consolidate/steps.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { fleetInstances } from '../../fleet/observe/observe.ts';
import type { Plan } from '../../domain/plan.ts';
import { destinationsOf, placeName } from '../../fleet/relocate/destination.ts';
import { easing } from '../../fleet/relocate/ease.ts';
import { fileWith, worldWith } from '../../fleet/relocate/edited-file.ts';
import { optionOf, planOf } from '../../fleet/relocate/option.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import { consents, reportApply } from '../carry-out.ts';
import { beforeKilled, carryOutEdit, lockEdit, undoEdit } from '../carry-out-edit.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { reachedServers } from '../reached-servers.ts';
import { addShiftOptions, shiftOf } from '../shift-options.ts';
import { stepsText } from '../text/option-text.ts';
import { consolidatedText, consolidationText } from '../text/consolidation-text.ts';
import type { Way } from '../text/consolidation-text.ts';

export const examples = [
  ['berth consolidate', 'What is served twice, and what it would cost and free to have all in one place.'],
  [
    'berth consolidate --to systemd',
    'Merges duplicates and has all there, one after the other, under way as it is.',
  ],
  [
    'berth consolidate --to systemd --port kimi=8080 --port mistral=8081 --reserve 8082',
    'With these ports, and one that nobody gets.',
  ],
  ['berth consolidate --here', 'Merges duplicates alone.'],
  [
    'berth consolidate --undo',
    'After one that was killed: file and engines as they were before its latest step.',
  ],
  ['berth consolidate --to systemd --dry-run', 'The steps, and what they would do.'],
] as const;

interface ConsolidateOptions extends FileOptions {
  readonly to?: string;
  readonly here?: boolean;
  readonly port: ReadonlyMap<string, number>;
  readonly reserve: readonly number[];
  readonly keep: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly atOnce?: boolean;
  readonly stepTime?: number;
}

interface Scene extends Known {
  readonly path: string;
  readonly options: ConsolidateOptions;
  readonly now: Standing;
}

export function configure(command: Command, context: CliContext): void {
  addShiftOptions(addFileOption(command))
    .option('--to <place>', 'a target, a host, or HOST/TARGET for all; without it the places are compared')
    .option('--here', 'merge what is served twice, and have all else where it is')
    .option('--port <name=port>', 'the port that a deployment is to have; several times', portOf, new Map())
    .option('--reserve <ports...>', 'ports that no engine gets', reserveOf, [])
    .option('--keep <names...>', 'of what is served twice, what is to stay', [])
    .option('--undo', 'bring back what was before a step that was broken off')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .option('--dry-run', 'show the steps and do nothing')
    .action(async (options: ConsolidateOptions) => {
      const { output } = context;
      if (options.undo) return undo(context, options);
      const changes =
        options.here || options.to !== undefined || options.port.size > 0 || options.reserve.length > 0;
      const carries = changes && !options.dryRun;
      const { path } = await fileWith(context.world, await loadFrom(context, options), ['deployments']);
      using _lock = carries ? await lockEdit(context, path, 'consolidate') : null;
      const scene = await sceneOf(context, options, { path, changes: carries });
      const gateway = (await readUpState(context.world, scene.loaded)) !== null;
      const places = changes ? [options.to ?? null] : [null, ...everywhere(scene.loaded)];
      const ways: Way[] = [];
      for (const to of places) ways.push(await wayOf(context, scene, to));
      const told = { fleet: scene.loaded.fleet, gateway, now: scene.now, ways };
      const [chosen] = ways;
      if (!carries || !chosen) return output.result(told, () => consolidationText(told));
      output.progress(`${consolidationText(told)}\n${stepsText(chosen.option)}`.trimEnd());
      await carry(context, scene, chosen);
    });
}

function portOf(text: string, before: ReadonlyMap<string, number>): Map<string, number> {
  const [, name, port] = /^(.+)=(\d{1,5})$/.exec(text) ?? [];
  if (name === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('It must be NAME=PORT, such as kimi=8080.');
  return new Map([...before, [name, Number(port)]]);
}

function reserveOf(text: string, before: readonly number[]): number[] {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('It must be a port.');
  return [...before, port];
}

/** Where an earlier one was killed, it is seen from before its latest step. */
async function sceneOf(
  context: CliContext,
  options: ConsolidateOptions,
  { path, changes }: { path: string; changes: boolean },
): Promise<Scene> {
  const begun = await beforeKilled(context, path, { by: 'consolidate', changes });
  const seen = begun?.context ?? context;
  const loaded = await loadFrom(seen, options);
  expectNamed([...options.port.keys(), ...options.keep], loaded);
  const { text } = await fileWith(seen.world, loaded, ['deployments']);
  const reached = await reachedServers(seen, loaded);
  const now = standingOf(await fleetInstances(context.world, loaded), [...reached.values()]);
  const fileIds = await fileIdsOf(seen, loaded, [...reached.values()]);
  return { loaded, path, text, options, reached, fileIds, now };
}

/** Of models that lie on this machine: one file may have several paths. */
async function fileIdsOf(
  { world }: CliContext,
  { deployments, hosts }: LoadedFleet,
  reached: readonly { readonly model: string | null }[],
): Promise<Map<string, string>> {
  const here = deployments.filter((one) => machineOf(hosts[one.host]) === thisMachine);
  const paths = [...here.map((one) => one.model?.path), ...reached.map((one) => one.model)];
  const found = await Promise.all(
    paths
      .filter((path) => path?.startsWith('/'))
      .map(async (path = '') => [path ?? '', (await world.files.stat(path ?? ''))?.id] as const),
  );
  return new Map(found.flatMap(([path, id]) => (id === undefined ? [] : [[path, id] as const])));
}

/** All of the fleet, since a step may concern several. */
async function undo(context: CliContext, options: ConsolidateOptions): Promise<void> {
  const { path } = await fileWith(context.world, await loadFrom(context, options), ['deployments']);
  async function replan(now: CliContext): Promise<Plan> {
    const loaded = await loadFrom(now, options);
    const running = await fleetInstances(now.world, loaded);
    const names = [
      ...loaded.deployments.map((one) => one.name),
      ...running.map((one) => one.mark?.deployment),
    ];
    return planOf(
      now.world,
      loaded,
      [...new Set(names)].filter((name) => name !== undefined),
    );
  }
  const carried = await undoEdit(context, { path, command: 'consolidate', by: 'consolidate', replan });
  reportApply(context, carried.plan, carried);
}

/** Every place that something of the fleet could have. */
function everywhere({ hosts, deployments }: LoadedFleet): string[] {
  const [first] = deployments;
  return first ? destinationsOf(hosts, first).map(placeName) : [];
}

async function wayOf(context: CliContext, scene: Scene, to: string | null): Promise<Way> {
  const { options, loaded, path, text } = scene;
  const wishes: Wishes = { to, ports: options.port, reserve: options.reserve, keep: options.keep };
  const consolidation = consolidationOf(scene, wishes);
  const after = consolidation.steps.at(-1)?.text ?? text;
  const overlaid = worldWith(context.world, { path, before: text, after });
  const only = [...new Set(consolidation.steps.flatMap((step) => step.only))];
  const option = await optionOf(overlaid, {
    name: to === null ? 'where they are, each once' : `all at ${to}`,
    only,
    hosts: Object.keys(loaded.hosts),
    notes: consolidation.notes,
    load: () => loadFrom({ ...context, world: overlaid }, options),
  });
  // Whoever takes their place serves before they are asked no longer.
  const goOn = new Set([...consolidation.duplicates.flatMap((one) => one.drop), ...scene.reached.keys()]);
  const requests = option.requests.map((one) =>
    goOn.has(one.deployment) ? { ...one, requests: 'go on' as const } : one,
  );
  const { actions = [] } = option.plan ?? {};
  const more =
    actions.filter((one) => one.do === 'start').length - actions.filter((one) => one.do === 'stop').length;
  const standing = option.plan ? standingAfter(scene.now, option.hosts, more) : null;
  return { consolidation, option: { ...option, requests }, after: standing };
}

/** Step by step, each with a plan of its own; what fails is backed out of, and what was done before stays. Throws MOVE_REFUSED. */
async function carry(context: CliContext, scene: Scene, { consolidation, option }: Way): Promise<void> {
  const { options } = scene;
  if (!option.plan)
    throw new BerthError('MOVE_REFUSED', { what: 'The fleet', to: option.name, refusals: option.refusals });
  if (!(await consents(context, option.plan, { yes: options.yes, command: 'consolidate' }))) return;
  const done: { title: string; did: string[] }[] = [];
  const shift = easing({ ...shiftOf(context, options), world: context.world });
  let before = scene.text;
  for (const step of consolidation.steps) {
    context.output.progress(`== ${step.title}`);
    const { result } = await carryStep(context, scene, { step, before, ease: shift.ease });
    if (result.failure) {
      const told = { done, failed: step.title, failure: result.failure.toJSON(), shift: shift.steps };
      context.output.result(told, () =>
        consolidatedText({ done, failed: step.title, failure: result.failure }),
      );
      context.exit(result.failure.exitCode);
      return;
    }
    const did = result.done.filter((one) => one.do !== 'keep').map((one) => `${one.do} ${one.deployment}`);
    done.push({ title: step.title, did });
    before = step.text;
  }
  const { notes } = consolidation;
  context.output.result({ done, notes, failed: null, failure: null, shift: shift.steps }, () =>
    consolidatedText({ done, failed: null, failure: null, notes }),
  );
}

async function carryStep(
  context: CliContext,
  { path, options }: Scene,
  { step, before, ease }: { step: Step; before: string; ease: Ease },
): ReturnType<typeof carryOutEdit> {
  const file = { path, before, after: step.text };
  async function planNow(now: CliContext): Promise<Plan> {
    return planOf(now.world, await loadFrom(now, options), step.only);
  }
  const plan = await planNow({ ...context, world: worldWith(context.world, file) });
  return carryOutEdit(context, {
    file,
    plan,
    replan: planNow,
    command: 'consolidate',
    by: 'consolidate',
    yes: options.yes,
    ease: options.atOnce ? undefined : ease,
  });
}
