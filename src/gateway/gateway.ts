import type { GatewayConfig } from '../domain/gateway-config.ts';
import { startSweep } from '../io/upstream-pool/sweep.ts';
import type { World } from '../io/world.ts';
import { openDoors } from './doors.ts';
import { createHandler } from './handler.ts';
import { HeldBytes } from './held-bytes.ts';
import { createMeter } from './meter.ts';
import { RetryBudget } from './retry-budget.ts';
import { buildSnapshot } from './snapshot.ts';
import type { GatewayState } from './state.ts';

export interface Gateway {
  /** Where it listens now. */
  readonly listen: readonly { address: string; port: number }[];
  /**
   * Puts another config in force, one after the other; what is queued or under way goes on. A fault, PORT_TAKEN among
   * them, leaves the old one in force.
   */
  readonly reload: (config: GatewayConfig) => Promise<void>;
  /** Refuses what is new, waits for what is under way up to `limits.drainMs`, then cuts it. */
  readonly close: () => Promise<void>;
}

/** Opens the gateway. Rejects with PORT_TAKEN when an address is, FILE_MISSING when a key file is not there. */
export async function startGateway(
  world: Pick<World, 'files' | 'log' | 'clock'>,
  config: GatewayConfig,
): Promise<Gateway> {
  const sweep = startSweep();
  function context() {
    return { files: world.files, sweep, wallMs: () => world.clock.wall().getTime() };
  }
  const state: GatewayState = {
    snapshot: await buildSnapshot(config, null, context()),
    draining: false,
    meter: createMeter(),
    held: new HeldBytes(config.limits.heldBytes),
    retries: new RetryBudget(),
    now: sweep.now,
  };
  // An ejection ends by time alone: nothing else would wake those who wait for it.
  sweep.each(() => {
    for (const deployment of state.snapshot.deployments.values())
      if (deployment.waiting > 0) deployment.dispatch();
  });
  const handler = createHandler(state, (error) =>
    world.log.error('A request ended in a fault of the gateway.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  const doors = await openDoors(config.listen, handler);
  let turn = Promise.resolve();
  function takeIn(next: GatewayConfig): Promise<void> {
    return doors.change(next.listen, next.limits.drainMs, async () => {
      state.snapshot = await buildSnapshot(next, state.snapshot, context());
      state.held.limit = next.limits.heldBytes;
    });
  }
  return {
    get listen() {
      return doors.bound();
    },
    reload: (next) => {
      const done = turn.then(() => takeIn(next));
      turn = done.catch(() => {});
      return done;
    },
    close: async () => {
      state.draining = true;
      await turn;
      await doors.close(state.snapshot.config.limits.drainMs);
      for (const instance of state.snapshot.instances.values()) instance.pool.retire();
      sweep.stop();
    },
  };
}
