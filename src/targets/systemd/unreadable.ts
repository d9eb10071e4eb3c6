import { dirname } from 'node:path/posix';
import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { hiddenFolders } from './hardening.ts';
import type { SystemdOptions } from './options.ts';
import { hiddenReads } from './render.ts';
import type { UnitFacts } from './render.ts';

/** A user as files see it; of one that exists only while its unit runs the numbers are nobody's. */
export interface Reader {
  readonly uid: number | null;
  readonly gids: readonly number[];
}

/** One path with its rights, as `stat` has them. */
export interface Rights {
  readonly path: string;
  readonly folder: boolean;
  /** Nine bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Models that the user of a unit may not read, or that lie in a folder that it may not enter. */
export async function unreadable(
  world: World,
  { mark, options, facts }: { mark: Mark; options: SystemdOptions; facts: UnitFacts },
): Promise<Finding[]> {
  if (facts.scope === 'user') return [];
  const { model, mmproj } = mark.spec;
  const models = [model, mmproj].flatMap((path) => path ?? []);
  if (models.length === 0) return [];
  const reader = options.user === undefined ? nobody : await readerOf(world, options.user);
  // Root reads all, unless it is taken from it.
  if (reader === null || (reader.uid === 0 && options.hardening !== 'strict')) return [];
  const bound = hiddenReads(mark, options, facts);
  const wanted = models.map((path) => ({ path, way: wayTo(path, options, bound) }));
  const rights = await rightsOf(world, [...new Set(wanted.flatMap(({ path, way }) => [path, ...way]))]);
  return wanted.flatMap(({ path, way }) => {
    const lacks = lacking(reader, { path, way, rights });
    return lacks === null ? [] : [told(mark.deployment, { path, lacks, user: options.user })];
  });
}

const nobody: Reader = { uid: null, gids: [] };

/** The folders that are entered on the way to a file, outermost first. What is let into a sandbox begins with itself. */
export function wayTo(
  path: string,
  { hardening }: Pick<SystemdOptions, 'hardening'>,
  bound: readonly string[],
): string[] {
  const way: string[] = [];
  const hidden = hardening === 'strict' && hiddenFolders.some((folder) => path.startsWith(`${folder}/`));
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) {
    if (at !== path) way.unshift(at);
    if (hidden && bound.includes(at)) break;
  }
  return way;
}

/** The first of them that this reader may not pass; null where all may be, or are not known. Pure. */
export function lacking(
  reader: Reader,
  { path, way, rights }: { path: string; way: readonly string[]; rights: ReadonlyMap<string, Rights> },
): Rights | null {
  const enters = way.flatMap((one) => rights.get(one) ?? []).find((one) => !may(reader, one, 1));
  const file = rights.get(path);
  return enters ?? (file && !may(reader, file, file.folder ? 5 : 4) ? file : null);
}

function may({ uid, gids }: Reader, one: Rights, bits: number): boolean {
  const shift = uid === one.uid ? 6 : gids.includes(one.gid) ? 3 : 0;
  return ((one.mode >> shift) & bits) === bits;
}

/** Null where there is no such user, which systemd says itself. */
async function readerOf(world: World, user: string): Promise<Reader | null> {
  const script = 'id -u -- "$1" && id -G -- "$1"';
  const { code, stdout } = await world.exec.run(['sh', '-c', script, 'sh', user], { timeoutMs: 10_000 });
  const [uid = '', gids = ''] = stdout.trim().split('\n');
  return code === 0 ? { uid: Number(uid), gids: gids.split(' ').map(Number) } : null;
}

/** Of those that are there and may be looked at. */
async function rightsOf(world: World, paths: readonly string[]): Promise<Map<string, Rights>> {
  const argv = ['stat', '-L', '-c', '%f %u %g %n', '--', ...paths];
  const { stdout } = await world.exec.run(argv, { timeoutMs: 10_000 });
  const found = stdout.split('\n').flatMap((line) => {
    const [, raw = '', uid, gid, path = ''] = /^([0-9a-f]+) (\d+) (\d+) (.+)$/.exec(line) ?? [];
    const mode = Number.parseInt(raw, 16);
    const folder = (mode & 0o170000) === 0o040000;
    return path === '' ? [] : [{ path, folder, mode: mode & 0o777, uid: Number(uid), gid: Number(gid) }];
  });
  return new Map(found.map((one) => [one.path, one]));
}

/** Of a user who is named, further rights (access lists) may let it in after all. */
function told(
  object: string,
  { path, lacks, user }: { path: string; lacks: Rights; user: string | undefined },
): Finding {
  const who = user === undefined ? 'a user of its own, who' : `${user}, who`;
  const mode = lacks.mode.toString(8);
  const what =
    lacks.path === path ? `may not read ${path}` : `may not enter ${lacks.path}, where ${path} lies`;
  const right = lacks.path === path ? (lacks.folder ? 'o+rx' : 'o+r') : 'o+x';
  const open = lacks.path === path ? 'Let everybody read it' : 'Let everybody pass through it';
  return {
    rule: 'model-unreadable',
    severity: user === undefined ? 'critical' : 'warning',
    object,
    message: `The unit runs as ${who} ${what} (mode ${mode}).`,
    evidence: [path, ...(lacks.path === path ? [] : [lacks.path])],
    cure: `${open} ("chmod ${right} ${lacks.path}"), or name a user who may with "target.user".`,
  };
}
