import type { GatewayConfig } from '../domain/gateway-config.ts';
import type { ApiFault } from '../domain/openai.ts';
import { wallMsOf } from '../io/clock.ts';
import type { Handler, Inbound } from '../io/http-server/types.ts';
import { usualLimits } from '../io/http-server/limits.ts';
import { startSweep } from '../io/upstream-pool/sweep.ts';
import type { Sweep } from '../io/upstream-pool/sweep.ts';
import { workDone } from '../io/turn-work.ts';
import type { World } from '../io/world.ts';
import type { GatewayCommand } from '../domain/gateway-control.ts';
import { answerCommand } from './control.ts';
import { withCors } from './front/cors.ts';
import type { Handlers } from './front/doors.ts';
import { openFront } from './front/front.ts';
import { createHandler } from './front/handler.ts';
import { noteRefusal } from './front/own-answers.ts';
import { createHealthChecks } from './routing/health-checks.ts';
import { HeldBytes } from './admission/held-bytes.ts';
import { Trials } from './experiments/trials.ts';
import { unobserved } from '../domain/observe-config.ts';
import { closeLimitsState } from './limits/state.ts';
import type { EndedBy } from './accounts/trail.ts';
import { createUsageCounts } from './accounts/key-usage.ts';
import { SharedRooms } from './limits/shared-rooms.ts';
import { withHosts } from './front/hosts.ts';
import { createRefuser } from './front/refuser.ts';
import { endedHere } from './reply/faults.ts';
import { createKeyRefusals } from './upstream/key-refusals.ts';
import { createMeter } from './reply/meter.ts';
import { createObserver } from './observe/observer.ts';
import { Demands } from './on-demand/demands.ts';
import type { Starter } from './on-demand/demands.ts';
import { Shadows } from './upstream/shadows.ts';
import { buildSnapshot } from './observe/snapshot.ts';
import type { Snapshot } from './observe/snapshot.ts';
import { SplitUnits } from './split-units.ts';
import { StoredResponses } from './stored/stored-responses.ts';
import type { StoredTogether } from './stored/stored-responses.ts';
import { engineNameOf } from './routing/engine-name.ts';
import { createEngineWatch } from './routing/watch-engines.ts';
import { createModelsWatch } from './routing/watch-models.ts';
import type { GatewayState } from './state.ts';
import { closeLines } from './traffic/closed-lines.ts';
import { Followers } from './traffic/followers.ts';
import { obeyWish } from './traffic/move.ts';
import { Together } from './traffic/together.ts';

/** The control process of a gateway. */
export interface Parent extends Starter {
  /** Is to take in what runs now, as that of another gateway has; it answers by the command "followed". Absent: it looks by itself. */
  readonly follow?: (wish: string, to: unknown) => void;
}

export interface Gateway {
  /** Where it listens now. */
  readonly listen: readonly { address: string; port: number; inside?: boolean | undefined; tls: boolean }[];
  /**
   * Puts another config in force, one after the other; what is queued or under way goes on. A fault, PORT_TAKEN among
   * them, leaves the old one in force.
   */
  readonly reload: (config: GatewayConfig) => Promise<void>;
  /** Does what the control process asks; see GatewayCommand. Rejects with GATEWAY_NAME_UNKNOWN, REQUEST_UNKNOWN. */
  readonly control: (command: GatewayCommand) => Promise<unknown>;
  /** Refuses what is new, waits for what is under way up to `limits.drainMs`, then ends it with an error. */
  readonly close: () => Promise<void>;
}

/** Opens the gateway. Rejects with PORT_TAKEN when an address is, FILE_MISSING when a key file is not there, TLS_UNUSABLE. */
export async function startGateway(
  world: Pick<World, 'files' | 'log' | 'clock' | 'http'>,
  config: GatewayConfig,
  /** Without one, models on demand cannot be loaded. */
  parent: Parent | null = null,
): Promise<Gateway> {
  const sweep = startSweep(world.clock);
  const wallMs = wallMsOf(world.clock);
  function context() {
    return { files: world.files, log: world.log, sweep, wallMs };
  }
  const snapshot = await buildSnapshot(config, null, context());
  const state = firstState(world, snapshot, { sweep, parent, wallMs });
  tellDemands(state);
  await state.trials.keepIn(config.experimentsFile ?? null);
  startTicks(sweep, state);
  const rooms = new SharedRooms({
    claims: () => state.snapshot.limitsState.shared?.claims ?? null,
    deployments: () => state.snapshot.deployments.values(),
    idOf: ({ upstream }) => engineNameOf(upstream),
  });
  sweep.each((now) => rooms.tick(now));
  const front = await openFront(world, config, handlersOf(world, state));
  let turn = Promise.resolve();
  function takeIn(next: GatewayConfig): Promise<void> {
    return front.change(next, async () => {
      const before = state.snapshot;
      state.snapshot = await buildSnapshot(next, before, context());
      for (const old of before.instances.values())
        if (state.snapshot.instances.get(old.id) !== old) state.leaving.add(old);
      closeLines(state, before);
      state.held.limit = next.limits.heldBytes;
      state.observer.configure(next.observe ?? unobserved);
      tellDemands(state);
      await state.trials.keepIn(next.experimentsFile ?? null);
    });
  }
  return {
    get listen() {
      return front.bound();
    },
    reload: (next) => {
      const done = turn.then(() => takeIn(next));
      turn = done.catch(() => {});
      return done;
    },
    control: (command) => answerCommand(state, sweep, command),
    close: async () => {
      state.draining = true;
      state.shadows.stop();
      await turn;
      await front.close(state.snapshot.config.limits.drainMs);
      // What an engine still sends for clients that have left holds no connection here, and is to be noted as well.
      state.observer.live.end('shutdown', () => true);
      // Accounts of requests that have ended belong in what is closed now.
      await workDone();
      rooms.close();
      await release(state);
      sweep.stop();
    },
  };
}

function firstState(
  world: Pick<World, 'files' | 'log' | 'clock' | 'http'>,
  snapshot: Snapshot,
  { sweep, parent, wallMs }: { sweep: Sweep; parent: Parent | null; wallMs: () => number },
): GatewayState {
  const { limits, observe } = snapshot.config;
  const held = new HeldBytes(limits.heldBytes);
  const state: GatewayState = {
    snapshot,
    draining: false,
    leaving: new Set(),
    deserted: new Set(),
    meter: createMeter(),
    keyRefusals: createKeyRefusals(world.log),
    usage: createUsageCounts(wallMs),
    held,
    shadows: new Shadows(held, sweep.after),
    stored: new StoredResponses(storedTogether(() => state.snapshot)),
    units: new SplitUnits(),
    trials: new Trials(world.log, () => state.snapshot.limitsState.shared?.tell ?? null),
    observer: createObserver(world, observe ?? unobserved),
    demands: new Demands(parent, sweep.now),
    followers: new Followers({ tell: parent?.follow ?? null, after: sweep.after }),
    together: new Together({
      link: () => state.snapshot.limitsState.shared?.wishes ?? null,
      obey: (wish, leftMs, id) => obeyWish(state, sweep, { wish, leftMs, id }),
      now: sweep.exact,
    }),
    now: sweep.now,
    wallMs,
    after: sweep.after,
  };
  return state;
}

function storedTogether(now: () => Snapshot): StoredTogether {
  return {
    holders: () => now().limitsState.shared?.holders ?? null,
    engineOf: (id) => {
      const instance = now().instances.get(id);
      return instance ? engineNameOf(instance.upstream) : null;
    },
    instanceOf: (engine) =>
      [...now().instances.values()].find((one) => engineNameOf(one.upstream) === engine)?.id ?? null,
  };
}

function startTicks(sweep: Sweep, state: GatewayState): void {
  sweep.each(() => tick(state));
  sweep.each(() => state.together.tick());
  sweep.each((now) => state.trials.tick(now));
  sweep.each(createHealthChecks(state));
  sweep.each(createEngineWatch(state));
  sweep.each(createModelsWatch(state));
}

function handlersOf({ log }: Pick<World, 'log'>, state: GatewayState): Handlers {
  function onFault(error: unknown): void {
    log.error('A request ended in a fault of the gateway.', { error: traceOf(error) });
  }
  function onRefused(inbound: Inbound | null, fault: ApiFault, requestId: string): void {
    state.meter.series('none', 'none', 'none').status(fault.status).value += 1;
    noteRefusal(state, inbound, fault, requestId);
  }
  function toPages(handler: Handler): Handler {
    return withCors(() => state.snapshot.cors, handler, onRefused);
  }
  function refuseLate(): never {
    throw endedHere(timeUpBy(state));
  }
  return {
    outside: withHosts(() => state.snapshot.hosts, toPages(createHandler(state, onFault)), onRefused),
    inside: createHandler(state, onFault, (inbound) => state.snapshot.keyring.requireControl(inbound)),
    late: toPages(createHandler(state, onFault, refuseLate)),
    onTimeUp: (isThere) => state.observer.live.end(timeUpBy(state), ({ inbound }) => isThere(inbound)),
    refuser: createRefuser(state, onRefused),
    limits: {
      ...usualLimits,
      get unreadMs() {
        return state.snapshot.config.limits.clientMs ?? usualLimits.unreadMs;
      },
    },
    onUnread: () => state.meter.leftUnread(),
  };
}

/** Why the time of an address is up. */
function timeUpBy({ draining }: GatewayState): EndedBy {
  return draining ? 'shutdown' : 'address';
}

async function release({ observer, snapshot, trials }: GatewayState): Promise<void> {
  await trials.close();
  for (const instance of snapshot.instances.values()) instance.pool.retire();
  await closeLimitsState(snapshot.limitsState);
  await observer.close();
}

function tick({ demands, snapshot, leaving, deserted }: GatewayState): void {
  demands.tick();
  // An ejection ends by time alone: nothing else would wake those who wait for it.
  for (const deployment of [...snapshot.deployments.values(), ...deserted])
    if (deployment.waiting > 0) deployment.dispatch();
    else if (deployment.inflight === 0) deserted.delete(deployment);
  for (const instance of leaving) if (instance.inflight === 0) leaving.delete(instance);
}

function tellDemands({ demands, snapshot }: GatewayState): void {
  const { onDemand, limits } = snapshot.config;
  demands.adopt({ onDemand, deployments: snapshot.deployments, queueMs: limits.queueMs });
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
