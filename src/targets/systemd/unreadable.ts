import { dirname } from 'node:path/posix';
import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { hiddenFolders } from './hardening.ts';
import type { SystemdOptions } from './options.ts';
import { realPaths } from './real-paths.ts';
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

/** A file that a unit opens. `bits`: what is asked of it, as the rights of a file are counted. */
interface Wanted {
  readonly path: string;
  readonly bits: number;
  readonly rule: string;
}

const read = 4;
const run = 1;

/**
 * Models that the user of a unit may not read, a program that it may not run, and either in a folder that it may not enter, also behind
 * a link.
 */
export async function unreadable(
  world: World,
  { mark, options, facts }: { mark: Mark; options: SystemdOptions; facts: UnitFacts },
): Promise<Finding[]> {
  if (facts.scope === 'user') return [];
  const reader = options.user === undefined ? nobody : await readerOf(world, options.user);
  // Root reads all, unless it is taken from it.
  if (reader === null || (reader.uid === 0 && options.hardening !== 'strict')) return [];
  const bound = hiddenReads(mark, options, facts);
  const opened = openedBy(mark, facts);
  const real = await realPaths(
    world,
    opened.map(({ path }) => path),
  );
  const wanted = opened.flatMap((one) =>
    [...new Set([one.path, real.get(one.path) ?? one.path])].map((path) => ({
      ...one,
      path,
      way: wayTo(path, options, bound),
    })),
  );
  const rights = await rightsOf(world, [...new Set(wanted.flatMap(({ path, way }) => [path, ...way]))]);
  const told = new Set<string>();
  return wanted.flatMap((one) => {
    const lacks = lacking(reader, { ...one, rights });
    if (lacks === null || told.has(`${one.rule} ${lacks.path}`)) return [];
    told.add(`${one.rule} ${lacks.path}`);
    return [findingOf(mark.deployment, { ...one, lacks, user: options.user })];
  });
}

/** A program of our own is run by another, which reads it. */
function openedBy({ spec: { model, mmproj } }: Mark, { program }: UnitFacts): Wanted[] {
  const [first, ...scripts] = program;
  return [
    ...(first === undefined ? [] : [{ path: first, bits: run, rule: 'program-unreadable' }]),
    ...scripts
      .filter((word) => word.startsWith('/'))
      .map((path) => ({ path, bits: read, rule: 'program-unreadable' })),
    ...[model, mmproj].flatMap((path) =>
      path === null ? [] : [{ path, bits: read, rule: 'model-unreadable' }],
    ),
  ];
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
  {
    path,
    way,
    rights,
    bits = read,
  }: { path: string; way: readonly string[]; rights: ReadonlyMap<string, Rights>; bits?: number },
): Rights | null {
  const enters = way.flatMap((one) => rights.get(one) ?? []).find((one) => !may(reader, one, 1));
  const file = rights.get(path);
  return enters ?? (file && !may(reader, file, file.folder ? read + run : bits) ? file : null);
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
function findingOf(
  object: string,
  { path, bits, rule, lacks, user }: Wanted & { readonly lacks: Rights; readonly user: string | undefined },
): Finding {
  const who = user === undefined ? 'a user of its own, who' : `${user}, who`;
  const mode = lacks.mode.toString(8);
  const [verb, right] = bits === run ? ['run', 'o+rx'] : ['read', lacks.folder ? 'o+rx' : 'o+r'];
  const isFile = lacks.path === path;
  const what = isFile ? `may not ${verb} ${path}` : `may not enter ${lacks.path}, where ${path} lies`;
  const open = isFile ? `Let everybody ${verb} it` : 'Let everybody pass through it';
  return {
    rule,
    severity: user === undefined ? 'critical' : 'warning',
    object,
    message: `The unit runs as ${who} ${what} (mode ${mode}).`,
    evidence: [path, ...(isFile ? [] : [lacks.path])],
    cure: `${open} ("chmod ${isFile ? right : 'o+x'} ${lacks.path}"), or name a user who may with "target.user".`,
  };
}
