import { basename } from 'node:path';
import { leavesTooLittle, tooLarge } from '../../domain/fit/room-for.ts';
import type { Claim, Holder } from '../../domain/fit/room-for.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import { detectMemory } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { readProcessTable } from '../../io/procfs.ts';
import { memoryAtStart, memoryOfRunning } from '../on-demand/memory-need.ts';
import type { ShapeCache } from '../on-demand/memory-need.ts';
import type { LoadedFleet } from '../file/resolve.ts';

const holdersShown = 3;

/**
 * Holds what a plan starts on this machine against its memory, with what engines give back that end before. Engines of whose memory
 * nothing can be computed are left out. `running`: what the plan was made from.
 */
export async function fitFindings(
  world: World,
  plan: Plan,
  { loaded, running }: { loaded: LoadedFleet; running: readonly Instance[] },
): Promise<Finding[]> {
  const here = plan.actions.filter(({ host }) => machineOf(plan.hosts[host]) === thisMachine);
  const known = await claimsOf(world, here, { loaded, running });
  if (known.length === 0) return [];
  const { totalBytes, availableBytes, limitBytes } = await detectMemory(world);
  // The limit that berth runs under is that of its children alone.
  const within = Math.min(totalBytes, limitBytes ?? Infinity);
  const [ours, others] = [known.filter((one) => one.ours), known.filter((one) => !one.ours)];
  const room = { totalBytes, availableBytes, givenBackBytes: givenBackBy(here, running) };
  return [
    ...tooLarge(ours, within),
    ...tooLarge(others, totalBytes),
    ...(await leavesTooLittle(known, room, () => holdersOf(world))),
  ];
}

async function claimsOf(
  world: World,
  actions: readonly Action[],
  { loaded, running }: { loaded: LoadedFleet; running: readonly Instance[] },
): Promise<(Claim & { readonly ours: boolean })[]> {
  const shapes: ShapeCache = new Map();
  const claims = actions.map(async (action) => {
    if (action.do !== 'start' && action.do !== 'replace') return [];
    const deployment = loaded.deployments.find(({ name }) => name === action.deployment);
    const bytes = deployment ? await memoryAtStart(world, deployment, shapes) : null;
    if (bytes === null) return [];
    const mark = action.do === 'replace' ? instanceOf(action, running)?.mark : null;
    const today = mark ? await memoryOfRunning(world, mark, shapes) : null;
    const ours = action.wanted.target.kind === 'process';
    return [{ deployment: action.deployment, bytes, today, ours }];
  });
  return (await Promise.all(claims)).flat();
}

/** Resident memory of what ends before its successor starts. More than comes free where pages of files are among it: those count as available already. */
function givenBackBy(actions: readonly Action[], running: readonly Instance[]): number | null {
  const ending = actions.filter((one) => one.do === 'stop' || (one.do === 'replace' && !one.beside));
  const sizes = ending.map((action) => instanceOf(action, running)?.rssBytes ?? null);
  return sizes.reduce((sum, bytes) => (sum === null || bytes === null ? null : sum + bytes), 0);
}

function instanceOf(action: Action, running: readonly Instance[]): Instance | undefined {
  if (action.do === 'start') return undefined;
  return running.find(({ object }) => sameObject(object, action.running.object));
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

/** What apply is refused for unless it is forced, with what can be done without it. Throws DOES_NOT_FIT. */
export function expectFits({ findings, actions }: Plan): void {
  const faults = findings.filter(({ rule, severity }) => rule === 'does-not-fit' && severity === 'critical');
  if (faults.length === 0) return;
  const refused = new Set(faults.map(({ object }) => object));
  const changing = actions.filter(({ do: what }) => what !== 'keep').map(({ deployment }) => deployment);
  throw new BerthError('DOES_NOT_FIT', {
    faults: faults.map(({ object, message, cure }) => ({ deployment: object, reason: message, cure })),
    others: [...new Set(changing)].filter((name) => !refused.has(name)),
  });
}
