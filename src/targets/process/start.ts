import { dirname, join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { engineEnvironment } from '../../domain/engine-environment.ts';
import { fillArg, fillArgs, filler } from '../../domain/fill-args.ts';
import { gpuEnvironment } from '../../domain/gpu-environment.ts';
import { markText } from '../../domain/mark-text.ts';
import type { Ending } from '../../domain/instance.ts';
import type { Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { findProgram } from '../../io/find-program.ts';
import { engineFileText, secretFile } from '../../io/given-file.ts';
import { readBootId, readProcess } from '../../io/procfs.ts';
import { programArgv } from '../../io/program.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest, Started } from '../contract.ts';
import { markVariable, toInstance } from './marks.ts';
import { recordMark } from './written-marks.ts';

/** A process that is gone already is known to have ended at once. */
const endKnownMs = 1_000;
const maxLogBytes = 10 * 1024 * 1024;

/** Starts the engine in a session of its own. Throws PROGRAM_MISSING, MARK_TOO_LARGE, or ENGINE_CRASHED when it is gone at once. */
export async function start(world: World, request: StartRequest): Promise<Started> {
  const { mark } = request;
  const { spec, deployment } = mark;
  const fill = await fillerOf(world, request);
  const argv = [...(await programOf(world, spec, deployment)), ...fillArgs(spec.args, fill)];
  await world.files.makeDir(request.stateDir);
  await world.files.makeDir(dirname(request.logFile));
  await world.logFiles.rotate(request.logFile, maxLogBytes);
  const text = markText(mark);
  const own = Object.fromEntries(Object.entries(spec.env).map(([name, arg]) => [name, fillArg(arg, fill)]));
  const before = await world.logFiles.last(request.logFile, 0);
  const cwd = spec.workdir ?? request.stateDir;
  const env = { ...inherited(world, request), ...gpuEnvironment(spec), ...own, [markVariable]: text };
  await recordMark(world, text);
  const { pid, ended } = await world.exec
    .detach(argv, { env, cwd, logFile: request.logFile })
    .catch(async (error: unknown) => {
      throw await notRun(world, error, { program: argv[0] ?? '', deployment, workdir: spec.workdir });
    });
  let known: Ending | null = null;
  void ended.then((how) => (known = how));
  const proc = await world.procfs([pid]);
  const entry = readProcess(proc, pid);
  if (!entry) {
    const ending = await soon(world, ended);
    const log = (await world.logFiles.last(request.logFile, 20, before.end)).lines;
    throw new BerthError('ENGINE_CRASHED', { deployment, ending, log, logPlace: request.logFile });
  }
  const table = { bootId: readBootId(proc), processes: new Map([[pid, entry]]), hidden: noneHidden };
  return {
    instance: toInstance(entry, mark, { table, listeners: [] }),
    ending: () => Promise.resolve(known),
    lines: async (count) => (await world.logFiles.last(request.logFile, count, before.end)).lines,
  };
}

/** Why a program that is there cannot be run; what is no fault of starting it stays as it is. */
async function notRun(
  world: World,
  error: unknown,
  { program, deployment, workdir }: { program: string; deployment: string; workdir: string | undefined },
): Promise<unknown> {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  if (!syscall.startsWith('spawn')) return error;
  if (workdir !== undefined && (await world.files.stat(workdir)) === null)
    return new BerthError('FILE_MISSING', { path: workdir, what: `working folder of ${deployment}` });
  const reason = spawnReasons[code] ?? code;
  return new BerthError('PROGRAM_NOT_RUN', { program, deployment, reason }, { cause: error });
}

const spawnReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not execute it',
  ENOENT: 'the interpreter that its first line names is not there',
  ENOEXEC: 'it is no program of this machine',
  E2BIG: 'its arguments and variables are too long',
  EAGAIN: 'this user has as many processes as are allowed',
  ENOMEM: 'no memory is left',
};

/** A child that outlives us keeps no process of ours waiting for its end; the clock does. Null when it is not known in time. */
async function soon(world: World, ended: Promise<Ending>): Promise<Ending | null> {
  const known = new AbortController();
  const late = world.clock.sleep(endKnownMs, known.signal).then(
    () => null,
    () => null,
  );
  const ending = await Promise.race([ended, late]);
  known.abort();
  return ending;
}

const noneHidden = { commandLines: 0, details: 0, others: false };

/** The user's environment, without the variables that hold secrets of the fleet and without berth's own. */
function inherited(world: World, { mark: { spec }, withheld }: StartRequest): Record<string, string> {
  const own = Object.values(spec.secrets).flatMap((ref) => ('env' in ref ? [ref.env] : []));
  const env = engineEnvironment(world.env, [...withheld, ...own]);
  // Our own program looks for the engine's library there, and cannot know of a --state-dir.
  if (spec.program.entry) env['BERTH_ENGINES'] = world.places.engines;
  return env;
}

async function programOf(world: World, spec: LaunchSpec, deployment: string): Promise<string[]> {
  const { entry, binary } = spec.program;
  const { machine } = world;
  if (entry !== undefined) return programArgv(entry);
  if (binary === undefined)
    throw new BerthError('PROGRAM_MISSING', { program: `for ${spec.engine}`, needed: deployment, machine });
  const path = await findProgram(world, binary);
  if (path === null)
    throw new BerthError('PROGRAM_MISSING', { program: binary, needed: deployment, machine });
  return [path];
}

/** Fills the holes: files of secrets and writable folders are made first, since filling itself cannot wait. */
async function fillerOf(world: World, request: StartRequest): Promise<(hole: Hole) => string> {
  const { spec, deployment, replica } = request.mark;
  const name = `${deployment}-${replica}`;
  const secrets = new Map<string, string>();
  for (const key of Object.keys(spec.secrets)) {
    const path = secretFile(request, key);
    const text = await engineFileText(world, request, { name: key, there: () => world.files.read(path) });
    await world.files.write(path, text, 0o600);
    secrets.set(key, path);
  }
  const folders = new Map(spec.writable.map((key) => [key, join(request.stateDir, 'work', name, key)]));
  for (const folder of folders.values()) await world.files.makeDir(folder);
  return filler({
    model: spec.model ?? '',
    mmproj: spec.mmproj ?? '',
    host: request.address,
    port: request.port,
    secret: (key) => secrets.get(key) ?? '',
    cache: (key) => folders.get(key) ?? '',
  });
}
