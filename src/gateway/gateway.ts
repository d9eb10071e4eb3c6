import type { GatewayConfig } from '../domain/gateway-config.ts';
import { isLoopback } from '../domain/loopback.ts';
import { hostName } from '../io/machine.ts';
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
import { createHealthChecks } from './routing/health-checks.ts';
import { HeldBytes } from './admission/held-bytes.ts';
import { unobserved } from '../domain/observe-config.ts';
import { closeLimitsState } from './limits/state.ts';
import { createUsageCounts } from './accounts/key-usage.ts';
import { SharedRooms } from './limits/shared-rooms.ts';
import { withHosts } from './front/hosts.ts';
import { createMeter } from './reply/meter.ts';
import type { Instance } from './routing/instance.ts';
import { createObserver } from './observe/observer.ts';
import { Demands } from './on-demand/demands.ts';
import type { Starter } from './on-demand/demands.ts';
import { RetryBudget } from './upstream/retry-budget.ts';
import { Shadows } from './upstream/shadows.ts';
import { buildSnapshot } from './observe/snapshot.ts';
import type { Snapshot } from './observe/snapshot.ts';
import { SplitUnits } from './split-units.ts';
import { StoredResponses } from './stored/stored-responses.ts';
import type { StoredTogether } from './stored/stored-responses.ts';
import { createEngineWatch } from './routing/watch-engines.ts';
import type { GatewayState } from './state.ts';

export interface Gateway {
  /** Where it listens now. */
  readonly listen: readonly { address: string; port: number; inside?: boolean | undefined; tls: boolean }[];
  /**
   * Puts another config in force, one after the other; what is queued or under way goes on. A fault, PORT_TAKEN among
   * them, leaves the old one in force.
   */
  readonly reload: (config: GatewayConfig) => Promise<void>;
  /** Does what the control process asks; see GatewayCommand. Rejects with GATEWAY_NAME_UNKNOWN. */
  readonly control: (command: GatewayCommand) => Promise<unknown>;
  /** Refuses what is new, waits for what is under way up to `limits.drainMs`, then cuts it. */
  readonly close: () => Promise<void>;
}

/** Opens the gateway. Rejects with PORT_TAKEN when an address is, FILE_MISSING when a key file is not there, TLS_UNUSABLE. */
export async function startGateway(
  world: Pick<World, 'files' | 'log' | 'clock' | 'http'>,
  config: GatewayConfig,
  /** Without one, models on demand cannot be loaded. */
  starter: Starter | null = null,
): Promise<Gateway> {
  const sweep = startSweep(world.clock);
  function context() {
    return { files: world.files, log: world.log, sweep, wallMs: () => world.clock.wall().getTime() };
  }
  const snapshot = await buildSnapshot(config, null, context());
  const state = firstState(world, snapshot, { sweep, starter });
  tellDemands(state);
  startTicks(sweep, state);
  const rooms = new SharedRooms({
    claims: () => state.snapshot.limitsState.shared?.claims ?? null,
    deployments: () => state.snapshot.deployments.values(),
    idOf: sharedNameOf,
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
      state.held.limit = next.limits.heldBytes;
      state.observer.configure(next.observe ?? unobserved);
      tellDemands(state);
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
  { sweep, starter }: { sweep: Sweep; starter: Starter | null },
): GatewayState {
  const { limits, observe } = snapshot.config;
  const held = new HeldBytes(limits.heldBytes);
  const state: GatewayState = {
    snapshot,
    draining: false,
    leaving: new Set(),
    meter: createMeter(),
    usage: createUsageCounts(() => world.clock.wall().getTime()),
    held,
    shadows: new Shadows(held, sweep.after),
    stored: new StoredResponses(storedTogether(() => state.snapshot)),
    units: new SplitUnits(),
    retries: new RetryBudget(),
    observer: createObserver(world, observe ?? unobserved),
    demands: new Demands(starter, sweep.now),
    now: sweep.now,
    wallMs: () => world.clock.wall().getTime(),
    after: sweep.after,
  };
  return state;
}

function storedTogether(now: () => Snapshot): StoredTogether {
  return {
    holders: () => now().limitsState.shared?.holders ?? null,
    engineOf: (id) => {
      const instance = now().instances.get(id);
      return instance ? sharedNameOf(instance) : null;
    },
    instanceOf: (engine) =>
      [...now().instances.values()].find((one) => sharedNameOf(one) === engine)?.id ?? null,
  };
}

function startTicks(sweep: Sweep, state: GatewayState): void {
  sweep.each(() => tick(state));
  sweep.each(createHealthChecks(state));
  sweep.each(createEngineWatch(state));
}

function handlersOf({ log }: Pick<World, 'log'>, state: GatewayState): Handlers {
  function onFault(error: unknown): void {
    log.error('A request ended in a fault of the gateway.', { error: traceOf(error) });
  }
  return {
    outside: withHosts(
      () => state.snapshot.hosts,
      withCors(() => state.snapshot.cors, createHandler(state, onFault)),
    ),
    inside: createHandler(state, onFault, (inbound) => state.snapshot.keyring.requireControl(inbound)),
  };
}

async function release({ observer, snapshot }: GatewayState): Promise<void> {
  for (const instance of snapshot.instances.values()) instance.pool.retire();
  closeLimitsState(snapshot.limitsState);
  await observer.close();
}

function tick({ demands, snapshot, leaving }: GatewayState): void {
  demands.tick();
  // An ejection ends by time alone: nothing else would wake those who wait for it.
  for (const deployment of snapshot.deployments.values()) if (deployment.waiting > 0) deployment.dispatch();
  for (const instance of leaving) if (instance.inflight === 0) leaving.delete(instance);
}

function tellDemands({ demands, snapshot }: GatewayState): void {
  const { onDemand, limits } = snapshot.config;
  demands.adopt({ onDemand, deployments: snapshot.deployments, queueMs: limits.queueMs });
}

/** Engines on loopback are those of one machine; others have one address for all gateways. */
function sharedNameOf({ upstream: { url } }: Instance): string {
  const { hostname } = new URL(url);
  return isLoopback(hostname.replace(/^\[|\]$/g, '')) ? `instance:${hostName()} ${url}` : `instance:${url}`;
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
