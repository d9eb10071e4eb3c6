import { BerthError } from '../../domain/errors/berth-error.ts';
import { thisMachine } from '../../domain/host-access.ts';
import type { Instance, Mark, ProcessId } from '../../domain/instance.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import { readUsage } from '../../io/procfs/usage.ts';
import type { World } from '../../io/world.ts';
import type { Usage } from '../contract.ts';
import { ContainerList, Inspected, Stats } from './answers.ts';
import type { State } from './answers.ts';
import { adoptedMarks } from './adopt.ts';
import { asked, daemonAt, daemonsHere, must, noDaemon } from './daemon.ts';
import { fleetLabel, markLabel } from '../../container/render.ts';
import { processesByContainer, residentBytes } from './own-processes.ts';
import { unasked } from './unasked.ts';

/** Tells how much memory a running container takes; null: it is not known. */
type Weigh = (api: DockerApi, id: string) => Promise<number | null>;

/**
 * All marked containers with the memory that they take. Throws DOCKER_UNREACHABLE, DOCKER_FORBIDDEN or DOCKER_REFUSED where it is not
 * known which there are.
 */
export function weighedContainers(world: World): Promise<Instance[]> {
  return containersOf(world, scales(world));
}

/** The same without their memory, which takes longer to know than all else. */
export function markedContainers(world: World): Promise<Instance[]> {
  return containersOf(world, unweighed);
}

async function containersOf(world: World, weigh: Weigh): Promise<Instance[]> {
  const looks = await Promise.all((await daemonsHere(world)).map((api) => lookAt(world, api, weigh)));
  const fault = faultOf(looks) ?? (looks.length === 0 ? await noDaemon(world) : null);
  if (fault) throw fault;
  return looks.flatMap((look) => (look instanceof BerthError ? [] : look));
}

/**
 * Why what runs is not known, of what the daemons of a host said in the order in which new containers are given to them; null: it is.
 * One behind another that answers has nothing of ours, and neither has one that our user may not use. Pure.
 */
export function faultOf(looks: readonly (readonly Instance[] | BerthError)[]): BerthError | null {
  const faults = looks.filter((look) => look instanceof BerthError);
  const first = looks.findIndex((look) => !(look instanceof BerthError));
  const grave = looks
    .slice(0, first < 0 ? looks.length : first)
    .find((look) => look instanceof BerthError && look.code !== 'DOCKER_FORBIDDEN');
  if (grave instanceof BerthError) return grave;
  return first < 0 ? (faults[0] ?? null) : null;
}

async function lookAt(world: World, api: DockerApi, weigh: Weigh): Promise<Instance[] | BerthError> {
  try {
    return await ofDaemon(world, api, weigh);
  } catch (error) {
    // That the whole host is lost is told by whoever looks at it.
    if (error instanceof BerthError && unasked.some((code) => code === error.code)) return error;
    throw error;
  }
}

async function ofDaemon(world: World, api: DockerApi, weigh: Weigh): Promise<Instance[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [fleetLabel] }));
  const path = `/containers/json?all=1&filters=${filters}`;
  const [{ json }, adopted] = await Promise.all([
    must(world, api, { method: 'GET', path, fine: [200] }),
    adoptedMarks(world, api),
  ]);
  const list = ContainerList.safeParse(json).data ?? [];
  // Podman does not filter by everything that Docker does.
  const marked = list.filter(({ Labels }) => Labels?.[markLabel] !== undefined).map(({ Id }) => Id);
  const ids = new Set([...marked, ...adopted.keys()]);
  const found = await Promise.all(
    [...ids].map(async (Id) => {
      // One that was removed since it was listed is no fault.
      const question = { method: 'GET', path: `/containers/${Id}/json`, fine: [200, 404] };
      const answer = await must(world, api, question);
      const container = answer.status === 200 ? Inspected.safeParse(answer.json).data : undefined;
      const mark = adopted.get(Id) ?? null;
      return container ? instanceOf(world, api, container, { adopted: mark, weigh }) : null;
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/** Null when there is no such container any more. */
export async function inspect(api: DockerApi, id: string): Promise<Inspected | null> {
  const { status, json } = await api.ask('GET', `/containers/${id}/json`);
  return status === 200 ? (Inspected.safeParse(json).data ?? null) : null;
}

export async function instanceOf(
  world: World,
  api: DockerApi,
  container: Inspected,
  { adopted, weigh = unweighed }: { adopted: Mark | null; weigh?: Weigh },
): Promise<Instance | null> {
  const mark = parseMark(container.Config.Labels?.[markLabel]) ?? adopted;
  if (!mark) return null;
  const alive = isUp(container.State);
  const process = await processOf(world, container);
  return {
    host: 'local',
    object: {
      target: 'docker',
      id: `${api.where}#${container.Id}`,
      name: `container ${container.Name.replace(/^\//, '')}`,
    },
    alive,
    trouble: alive ? null : endedHow(container.State),
    process,
    engine: mark.spec.engine,
    model: mark.spec.model,
    owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
    // The port is published for as long as it runs, whoever of the daemon's helpers listens.
    endpoints: alive ? [{ address: mark.address, port: mark.port, netns: 'published' }] : [],
    rssBytes: container.State.Running ? await weigh(api, container.Id) : null,
    startedAt: startOf(container.State),
    mark,
  };
}

/** Between a crash and the next start it is still there for its daemon. */
export function isUp(state: State): boolean {
  return Boolean(state.Running) || Boolean(state.Restarting);
}

function endedHow(state: State): string {
  if (state.OOMKilled) return 'it took more memory than it may and was killed';
  if (state.Error) return state.Error;
  return state.Status === 'created'
    ? 'it was made and never started'
    : `it ended with code ${state.ExitCode ?? 'unknown'}`;
}

function startOf({ StartedAt }: State): string | null {
  const at = Date.parse(StartedAt ?? '');
  return at > 0 ? new Date(at).toISOString() : null;
}

/** A daemon may count its processes in another namespace: only a process that is in this container's cgroup is the one. */
async function processOf(world: World, { Id, State: { Pid } }: Inspected): Promise<ProcessId | null> {
  if (!Pid) return null;
  const proc = await world.procfs([Pid]);
  const entry = readProcess(proc, Pid);
  if (!entry?.cgroup?.includes(Id)) return null;
  return { bootId: readBootId(proc), pid: Pid, startTicks: entry.startTicks };
}

export async function apiOf(
  world: World,
  { object: { id } }: Pick<Instance, 'object'>,
): Promise<{ api: DockerApi; id: string }> {
  const at = id.lastIndexOf('#');
  return { api: await daemonAt(world, id.slice(0, at)), id: id.slice(at + 1) };
}

export async function isAlive(world: World, instance: Instance): Promise<boolean> {
  const { api, id } = await apiOf(world, instance);
  const { json, status } = await asked(world, api, 'GET', `/containers/${id}/json`);
  const found = status === 200 ? Inspected.safeParse(json).data : undefined;
  return found !== undefined && isUp(found.State);
}

export async function usage(world: World, instance: Instance): Promise<Usage> {
  const { api, id } = await apiOf(world, instance);
  const { json } = await must(world, api, { method: 'GET', path: `/containers/${id}/json`, fine: [200] });
  const container = Inspected.safeParse(json).data;
  const taken = container?.State.Running
    ? ((await takenHere(world, container.Id)) ?? (await stats(api, id)))
    : { memoryBytes: null, cpuSeconds: null };
  return { ...taken, restarts: container?.RestartCount ?? null };
}

interface Taken {
  readonly memoryBytes: number | null;
  readonly cpuSeconds: number | null;
}

/** By the processes in it, as of one that runs by itself; null where none is seen, or where a look at all of them is a long answer. */
async function takenHere(world: World, id: string): Promise<Taken | null> {
  if (world.machine !== thisMachine) return null;
  const proc = await world.procfs();
  const own = processesByContainer(readProcessTable(proc)).get(id) ?? [];
  const memoryBytes = residentBytes(own);
  if (memoryBytes === null) return null;
  const times = own.flatMap(({ pid }) => readUsage(proc, pid)?.cpuSeconds ?? []);
  return { memoryBytes, cpuSeconds: times.reduce((sum, one) => sum + one, 0) };
}

/** Docker before 25 takes up to a second to tell of one container: what its processes hold is asked for first. */
function scales(world: World): Weigh {
  let seen: Promise<ReturnType<typeof processesByContainer>> | null = null;
  async function look(): Promise<ReturnType<typeof processesByContainer>> {
    return processesByContainer(readProcessTable(await world.procfs()));
  }
  return async (api, id) => {
    const own = (await (seen ??= look())).get(id);
    return residentBytes(own ?? []) ?? (await stats(api, id)).memoryBytes;
  };
}

function unweighed(): Promise<null> {
  return Promise.resolve(null);
}

/** Memory without what the system may drop at any time, counted by cgroups of either version. */
async function stats(api: DockerApi, id: string): Promise<Taken> {
  const answer = await api.ask('GET', `/containers/${id}/stats?stream=false&one-shot=true`).catch(() => null);
  const found = answer?.status === 200 ? Stats.safeParse(answer.json).data : undefined;
  const { usage: used, stats: parts } = found?.memory_stats ?? {};
  const droppable = [parts?.['total_inactive_file'], parts?.['inactive_file']].find(
    (one) => typeof one === 'number',
  );
  const cpu = found?.cpu_stats?.cpu_usage?.total_usage;
  return {
    memoryBytes: typeof used === 'number' && used > 0 ? Math.max(0, used - (Number(droppable) || 0)) : null,
    cpuSeconds: typeof cpu === 'number' ? cpu / 1e9 : null,
  };
}
