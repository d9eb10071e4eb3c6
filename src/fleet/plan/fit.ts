import { basename } from 'node:path';
import { leavesTooLittle, tooLarge } from '../../domain/fit/room-for.ts';
import type { Holder } from '../../domain/fit/room-for.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { Plan } from '../../domain/plan.ts';
import { detectMemory } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { readProcessTable } from '../../io/procfs.ts';
import { memoryAtStart } from '../on-demand/memory-need.ts';
import type { LoadedFleet } from '../file/resolve.ts';

const holdersShown = 3;

/**
 * Holds what a plan starts on this machine against its memory. Engines that make room for their successor count with what they give
 * back by that of the successor: only what is started beside counts. Those of whose memory nothing can be computed are left out.
 */
export async function fitFindings(world: World, plan: Plan, loaded: LoadedFleet): Promise<Finding[]> {
  const shapes = new Map();
  const starts = plan.actions.filter(
    (action) =>
      (action.do === 'start' || action.do === 'replace') &&
      machineOf(plan.hosts[action.host]) === thisMachine,
  );
  const claims = await Promise.all(
    starts.map(async (action) => {
      const deployment = loaded.deployments.find(({ name }) => name === action.deployment);
      const bytes = deployment ? await memoryAtStart(world, deployment, shapes) : null;
      const isMore = action.do === 'start' || (action.do === 'replace' && action.beside);
      const ours = 'wanted' in action && action.wanted.target.kind === 'process';
      return bytes === null ? [] : [{ deployment: action.deployment, bytes, isMore, ours }];
    }),
  );
  const known = claims.flat();
  if (known.length === 0) return [];
  const { totalBytes, availableBytes, limitBytes } = await detectMemory(world);
  // The limit that berth runs under is that of its children alone.
  const within = Math.min(totalBytes, limitBytes ?? Infinity);
  const never = [
    ...tooLarge(
      known.filter(({ ours }) => ours),
      within,
    ),
    ...tooLarge(
      known.filter(({ ours }) => !ours),
      totalBytes,
    ),
  ];
  const more = known.filter(({ isMore }) => isMore);
  const makesRoom = plan.actions.some((one) => one.do === 'stop' || (one.do === 'replace' && !one.beside));
  // What is given back by then is not known.
  const machine = { totalBytes, availableBytes: makesRoom ? null : availableBytes };
  return [...never, ...(await leavesTooLittle(more, machine, () => holdersOf(world)))];
}

async function holdersOf(world: World): Promise<Holder[]> {
  const { processes } = readProcessTable(await world.procfs());
  return [...processes.values()]
    .flatMap(({ pid, argv, rssBytes }) =>
      rssBytes === null ? [] : [{ name: `${programOf(argv)} (process ${pid})`, bytes: rssBytes }],
    )
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, holdersShown);
}

/** Its name alone: a title that a program gave itself may hold its whole command line. */
function programOf([first = '']: readonly string[]): string {
  return basename(first.split(/\s/, 1)[0] ?? '') || '?';
}

/** What apply is refused for unless it is forced. Throws DOES_NOT_FIT. */
export function expectFits({ findings }: Plan): void {
  const [first] = findings.filter(({ rule }) => rule === 'does-not-fit');
  if (!first) return;
  throw new BerthError('DOES_NOT_FIT', { deployment: first.object, reason: first.message, cure: first.cure });
}
