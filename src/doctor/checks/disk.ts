import { formatBytes } from '../../domain/format.ts';
import type { World } from '../../io/world.ts';
import { bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Place {
  readonly what: string;
  readonly path: string;
  /** Of the file system that it lies on, or will; null where nobody tells. */
  readonly freeBytes: number | null;
  readonly freeInodes: number | null;
  readonly type: string | null;
}

const gibibyte = 1024 ** 3;

export const disk = defineCheck<'disk', readonly Place[]>({
  kind: 'disk',
  title: 'Disks',
  gather: (world) => {
    const { models, state } = world.places;
    return Promise.all([place(world, 'models', models), place(world, 'state and logs', state)]);
  },
  judge: (places) => places.map(judgePlace),
});

function judgePlace({ what, path, freeBytes, freeInodes, type }: Place): Verdict {
  const facts = [
    `${path}${type === null ? '' : ` on ${type}`}`,
    `${formatBytes(freeBytes)} free`,
    ...(freeInodes === null ? [] : [`${freeInodes} inodes free`]),
  ];
  const cure = `Free some space there ("berth models prune" shows what no fleet uses), or move it with --state-dir or XDG_DATA_HOME.`;
  if (freeBytes === null)
    return bad('info', `How much room there is for ${what} is not known.`, {
      evidence: facts,
      cure: `df -h ${path}`,
    });
  if (freeBytes < gibibyte / 4 || freeInodes === 0)
    return bad('critical', `There is no room for ${what}.`, { evidence: facts, cure });
  if (what === 'models' && freeBytes < 10 * gibibyte)
    return bad('warning', `There is little room for ${what}: many are larger than that.`, {
      evidence: facts,
      cure,
    });
  if (what === 'models' && type === 'tmpfs')
    return bad('warning', 'Models would lie in memory, and be gone after a reboot.', {
      evidence: facts,
      cure,
    });
  return good(`${formatBytes(freeBytes)} for ${what}.`, facts);
}

/** The folder may not be there yet: then the next one above it. */
async function place(world: World, what: string, path: string): Promise<Place> {
  let there = path;
  while (there !== '/' && !(await world.files.stat(there)))
    there = there.slice(0, there.lastIndexOf('/')) || '/';
  const [space, inodes] = await Promise.all(
    [['-PTk'], ['-Pi']].map((how) => world.exec.run(['df', ...how, there], { timeoutMs: 5_000 })),
  );
  const cells = lastRow(space?.stdout);
  const counts = lastRow(inodes?.stdout);
  return {
    what,
    path,
    type: cells[1] ?? null,
    freeBytes: numberOf(cells[4], 1024),
    // btrfs counts no inodes and says 0 for all of them.
    freeInodes: numberOf(counts[1], 1) === 0 ? null : numberOf(counts[3], 1),
  };
}

function lastRow(text: string | undefined): string[] {
  return (text ?? '').trim().split('\n').slice(1).at(-1)?.split(/\s+/) ?? [];
}

/** Null where it is no number: "-" is what some file systems have for what they do not count. */
function numberOf(cell: string | undefined, unit: number): number | null {
  return cell !== undefined && /^\d+$/.test(cell) ? Number(cell) * unit : null;
}
