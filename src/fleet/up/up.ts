import { BerthError } from '../../domain/errors/berth-error.ts';
import { objectKey } from '../../domain/instance.ts';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import { newToken, tokenOfFile } from '../../io/token-file.ts';
import type { World } from '../../io/world.ts';
import { gatewayConfig } from '../gateway/gateway-config.ts';
import { applyFile, readAnew } from './apply-file.ts';
import { byOthers, isToRun } from './ended-by-others.ts';
import type { Told } from './ended-by-others.ts';
import { hungPorts } from './hung-ports.ts';
import { onDemandConfig } from '../on-demand/config.ts';
import { withPath } from '../on-demand/fetch-first.ts';
import { readLoadTimes } from '../on-demand/load-times.ts';
import type { LoadTimes } from '../on-demand/load-times.ts';
import { Loader } from '../on-demand/loader.ts';
import type { ShapeCache } from '../on-demand/memory-need.ts';
import { readLastEffects } from '../apply/journal.ts';
import { expectFreePorts } from '../apply/expect-free-ports.ts';
import { startGateway } from '../gateway/gateway-child.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import type { GatewayEvent } from '../gateway/gateway-events.ts';
import { hostNameOf, worldOfInstance } from '../file/hosts.ts';
import { fleetInstances, instancesOf, observeFleet } from '../observe/observe.ts';
import { isSeenInPlace } from '../file/named-secrets.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity, FleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { afterRestart, mayRestart } from './restarts.ts';
import type { Attempts } from './restarts.ts';
import { createSilentWatch, isUnseen, unseenIn } from '../observe/silent-hosts.ts';
import type { Unseen } from '../observe/silent-hosts.ts';
import { stopStarted } from '../apply/stop-started.ts';
import { createSupervisor } from './supervise.ts';
import type { Supervisor } from './supervise.ts';
import { requestView } from '../observe/live-requests.ts';
import { moveTraffic, usualDrainMs } from '../apply/move-traffic.ts';
import { noTraffic, Successor } from '../apply/traffic.ts';
import type { Traffic } from '../apply/traffic.ts';
import type { UpHold, UpOptions, UpPorts } from './up-ports.ts';
import { createTurns } from './turns.ts';
import { ownProcess, takeUpLock } from './up-state.ts';
import type { UpState } from './up-state.ts';
import { createTeller } from './teller.ts';
import type { Teller } from './teller.ts';
import { createStateFile } from './state-file.ts';
import type { StateFile } from './state-file.ts';

const lookMs = 1_000;

/**
 * Converges the engines, opens gateway and console, and stays: restarts what crashes, reloads on demand. Engines outlive it unless it
 * is ephemeral: then it stops those it started. Throws ALREADY_UP, or what stopped the first apply.
 */
export async function up(
  world: World,
  first: LoadedFleet,
  options: UpOptions,
  ports: UpPorts,
): Promise<void> {
  const paths = fleetPaths(world, first);
  using _lock = await takeUpLock(world, first);
  const times = await readLoadTimes(world, paths);
  const run: Run = {
    world,
    paths,
    ports,
    force: options.force,
    loaded: first,
    ownKey: newToken(),
    controlToken: await tokenOfFile(world.files, paths.controlToken),
    anonymous: false,
    supervisor: supervisorOf(world, first, () => run),
    loader: new Loader(world, {
      loaded: () => run.loaded,
      engines: () => run.supervisor.engines(),
      tell: (news) => void run.gateway?.ask(news).catch(() => {}),
      changed: () => run.teller.tell(),
      onProgress: ports.onProgress,
      fetch: ports.fetchModel,
      noted: () => run.state.again(),
      // The file may be another by now, which waits for an apply: nothing but the path is taken in.
      fetched: (source, path) => (run.loaded = withPath(run.loaded, source, path)),
      times,
    }),
    teller: createTeller(world, () => takeIn(run)),
    times,
    shapes: new Map(),
    state: createStateFile(world, paths, () => ({ state: stateOf(run), taken: run.loaded.written })),
    gateway: null,
    consoleUrl: null,
    startedAt: world.clock.wall().toISOString(),
    inTurn: createTurns(),
    refused: null,
    unseen: new Set(),
  };
  await expectFreePorts(world, first);
  const before = new Set((await fleetInstances(world, first)).map((one) => objectKey(one.object)));
  try {
    await converge(run, options.signal);
    await openGateway(run);
    await serve(run, options.signal);
  } finally {
    run.teller.stop();
    await run.gateway?.stop();
    await run.loader.stop();
    await run.supervisor.settled();
    await run.state.remove();
    if (options.ephemeral) await stopOwn(run, before);
  }
}

async function stopOwn({ world, loaded, paths, ports }: Run, before: ReadonlySet<string>): Promise<void> {
  await stopStarted(world, loaded, { before, onProgress: ports.onProgress });
  await world.files.remove(paths.controlToken);
}

function supervisorOf(world: World, fleet: FleetIdentity, run: () => Run): Supervisor {
  return createSupervisor(world, fleet, {
    onProgress: (line) => run().ports.onProgress(line),
    withheld: () => run().loaded.withheld,
    worldOf: (one) => worldOfInstance(run().world, run().loaded.hosts, one),
    onDemand: (name) => isOnDemand(run(), name),
    onGone: () => void run().teller.tell(),
    onRestart: ({ deployment }, reason) => {
      void run()
        .gateway?.ask({ do: 'restarted', deployment, reason })
        .catch(() => {});
      void run().state.again();
    },
    hostNameOf: (one) => hostNameOf(run().loaded.hosts, one),
    hung: hungPorts(
      () => run().loaded,
      () => run().gateway,
    ),
  });
}

interface Run {
  readonly world: World;
  readonly paths: FleetPaths;
  readonly ports: UpPorts;
  readonly force: boolean;
  readonly ownKey: string;
  /** Of console and control API; it opens the gateway's control routes too. */
  readonly controlToken: string;
  anonymous: boolean;
  readonly supervisor: Supervisor;
  readonly loader: Loader;
  readonly teller: Teller;
  readonly times: LoadTimes;
  readonly shapes: ShapeCache;
  readonly state: StateFile;
  loaded: LoadedFleet;
  gateway: GatewayChild | null;
  consoleUrl: string | null;
  readonly startedAt: string;
  /** Changes of configuration wait for each other. */
  readonly inTurn: (act: () => Promise<void>) => Promise<void>;
  /** Why the file in force is not the latest one; null while it is. */
  refused: string | null;
  /** What could not be looked at the last time. */
  unseen: Unseen;
}

async function converge(run: Run, signal: AbortSignal): Promise<void> {
  const traffic = run.gateway ? trafficOf(run, (to) => follow(run, { to })) : noTraffic;
  await applyFile(run.world, run, { signal, traffic });
  await adopt(run);
}

/**
 * What is gone has ended by itself, and is watched until it is started again. `told`: somebody has changed engines, and says so; then
 * not where that one has ended it, or may have.
 */
async function adopt(
  run: Run,
  { to = null, told = true, elsewhere = false }: Told & { told?: boolean } = {},
): Promise<void> {
  const { world, loaded } = run;
  const sight = await observeFleet(world, loaded.hosts);
  const instances = instancesOf(sight, loaded).filter((one) => isSeenInPlace(world, one));
  run.unseen = unseenIn(sight, loaded);
  const ended = told && !elsewhere ? byOthers(await readLastEffects(world, loaded), ownProcess(world)) : null;
  run.supervisor.adopt(instances, {
    to,
    unseen: ({ host, mark }) => isUnseen(run.unseen, { machine: host, target: mark.target.kind }),
    waits: (one) => !isOnDemand(run, one.mark.deployment) && (!told || isToRun(one, { loaded, ended })),
  });
  run.loader.adopt(run.supervisor.engines().map(({ mark }) => mark));
}

/** In turn with other changes: what comes or goes while it starts is told to it once it runs. */
async function openGateway(run: Run): Promise<void> {
  function hear({ event, deployment, wish, to }: GatewayEvent): void {
    if (event === 'fetch' && deployment) run.loader.fetch(deployment);
    if (event === 'load' && deployment) run.loader.load(deployment);
    if (event === 'unload' && deployment) run.loader.unload(deployment);
    if (event === 'follow' && wish !== undefined) void followWish(run, wish, to);
  }
  await run.inTurn(async () => {
    run.gateway = await startGateway(run.world, run.paths, await configOf(run), hear, () => {}, true);
  });
}

/** Another gateway of this fleet has taken in what runs now, and waits until this one has. */
async function followWish(run: Run, wish: string, to: unknown): Promise<void> {
  const asked = { to: Successor.nullable().safeParse(to).data ?? null, elsewhere: true };
  const fault = await followOther(run, asked).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  await run.gateway?.ask({ do: 'followed', wish, fault }).catch(() => {});
}

function isOnDemand(run: Run, name: string): boolean {
  return run.loaded.deployments.some((one) => one.name === name && one.onDemand);
}

/** Tells the gateway of engines that have come or gone. Throws what is in the way. */
function takeIn(run: Run): Promise<void> {
  return run.inTurn(async () => {
    await adopt(run, { told: false });
    await run.gateway?.reload(await configOf(run));
  });
}

function trafficOf(run: Run, shift: Parameters<typeof moveTraffic>[0]['shift']): Traffic {
  return moveTraffic({
    gateway: () => run.gateway,
    drainMs: () => run.loaded.gateway.limits.drain ?? usualDrainMs,
    shift,
  });
}

/** As an `apply` beside us asks for it: a fault is told here as well. */
async function followOther(run: Run, asked: Told): Promise<void> {
  try {
    await follow(run, asked);
  } catch (error) {
    await refuse(run, error);
    throw error;
  }
}

async function configOf(run: Run): Promise<GatewayConfig> {
  const engines = run.supervisor
    .engines()
    .filter(
      ({ mark: { deployment } }) =>
        !isOnDemand(run, deployment) || run.loader.phaseOf(deployment) === 'running',
    );
  const config = await gatewayConfig(run.world, run.loaded, {
    engines,
    onDemand: await onDemandConfig(run.world, run.loaded, run),
    secretsDir: run.paths.secrets,
    ownKeys: [
      ['berth-console', run.ownKey],
      ['berth-control', run.controlToken],
    ],
  });
  run.anonymous = config.anonymous;
  return config;
}

async function serve(run: Run, signal: AbortSignal): Promise<void> {
  const { ports } = run;
  const hold: UpHold = {
    loaded: () => run.loaded,
    traffic: trafficOf(run, (to, despiteFaults) => followOther(run, { to, despiteFaults })),
    requests: requestView(() => run.gateway),
    takeInKeys: () => takeInKeys(run),
    gateway: () =>
      run.gateway && {
        url: run.gateway.url,
        insideUrl: run.gateway.insideUrl,
        key: run.ownKey,
        keyNeeded: !run.anonymous,
      },
  };
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const control = await ports.startControl(hold);
  run.consoleUrl = control?.url ?? null;
  let reloads = Promise.resolve();
  const stopReloads = ports.onReload({
    reload: () => void (reloads = reloads.then(() => reload(run, both))),
    files: () => run.loaded.files.map(({ path }) => path),
  });
  try {
    const state = await run.state.write();
    const serving = ports.serving(state, hold).finally(() => ended.abort());
    await watch(run, both);
    await serving;
  } finally {
    stopReloads();
    await control?.close();
  }
}

function stateOf(run: Run): UpState {
  const { gateway, loaded, world, consoleUrl } = run;
  return {
    version: 1,
    fleet: loaded.fleet,
    fleetId: loaded.fleetId,
    process: ownProcess(world),
    files: loaded.files.map((file) => file.path),
    gateway: gateway && { url: gateway.url, insideUrl: gateway.insideUrl, pid: gateway.pid },
    console: consoleUrl === null ? null : { url: consoleUrl },
    startedAt: run.startedAt,
    refused: run.refused,
    restarts: run.supervisor.restarts(),
    fetching: run.loader.fetching,
    failed: run.loader.failed,
  };
}

/** Looks after engines and gateway until the signal aborts. */
async function watch(run: Run, signal: AbortSignal): Promise<void> {
  let gone = false;
  let attempts: Attempts | undefined;
  function follow(): void {
    gone = false;
    void run.gateway?.exited.then(() => (gone = true));
  }
  follow();
  const silent = createSilentWatch(run.world, {
    loaded: () => run.loaded,
    unseen: () => run.unseen,
    answer: async (names) => {
      run.ports.onProgress(`Answers again: ${names.join(', ')}`);
      await run.teller.tell();
    },
  });
  while (!signal.aborted) {
    await run.world.clock.sleep(lookMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      silent.look();
      await run.supervisor.look(signal);
      if (gone && mayRestart(attempts, run.world.clock.now())) {
        attempts = afterRestart(attempts, run.world.clock.now());
        run.ports.onProgress('The gateway has ended; starting it again');
        await openGateway(run);
        await run.state.write();
        follow();
      }
    } catch (error) {
      if (signal.aborted) return;
      run.world.log.error('Looking after the fleet failed.', { reason: String(error) });
    }
  }
}

/** Takes in a changed file and what runs now. Throws what is wrong, and the old stays in force. */
function follow(run: Run, { despiteFaults = false, ...asked }: Told): Promise<void> {
  return run.inTurn(async () => {
    const { loaded } = run;
    try {
      const read = await readAnew(run.world, run, despiteFaults);
      run.loaded = read.loaded;
      await adopt(run, asked);
      await run.gateway?.reload(await configOf(run));
      run.refused = read.refused;
    } catch (error) {
      run.loaded = loaded;
      await adopt(run, { elsewhere: asked.elsewhere });
      throw error;
    }
    await run.state.write();
  });
}

/** A changed file: engines, routes, keys and limits become as it says. What is wrong with it is told, and the old stays. */
async function reload(run: Run, signal: AbortSignal): Promise<void> {
  const { loaded } = run;
  try {
    run.loaded = await run.ports.reload();
    await converge(run, signal);
    run.ports.onProgress('The fleet file was read again');
  } catch (error) {
    if (signal.aborted) return;
    run.loaded = loaded;
    await refuse(run, error);
  }
}

async function refuse(run: Run, error: unknown): Promise<void> {
  run.refused = error instanceof BerthError ? error.message : String(error);
  run.ports.onProgress(`berth: the old configuration stays: ${run.refused}`);
  await run.state.write();
}

/** The keys as they are kept now, with all else as it is in force. */
function takeInKeys(run: Run): Promise<void> {
  return run.inTurn(async () => run.gateway?.reload(await configOf(run)));
}
