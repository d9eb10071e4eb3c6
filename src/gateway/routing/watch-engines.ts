import type { Instance } from './instance.ts';
import { askEngine } from './ask-engine.ts';
import { readEngine } from '../limits/engine-reading.ts';
import type { GatewayState } from '../state.ts';

const busyMs = 1000;
const idleMs = 5000;

/**
 * Reads the figures of every engine that tells them: each second while something is under way there, else every five;
 * one question at a time for each. To be called at every tick.
 */
export function createEngineWatch(state: GatewayState): (now: number) => void {
  /** When each was asked last; Infinity while the answer is awaited. */
  const asked = new WeakMap<Instance, number>();
  return (now) => {
    if (state.draining) return;
    for (const deployment of state.snapshot.deployments.values()) {
      if (deployment.demand && deployment.demand.state !== 'ready') continue;
      for (const instance of deployment.instances) {
        const { metricsPath } = instance.upstream;
        const last = asked.get(instance) ?? -Infinity;
        const every = instance.inflight > 0 || deployment.waiting > 0 ? busyMs : idleMs;
        if (metricsPath === null || last === Infinity || now - last < every) continue;
        asked.set(instance, Infinity);
        void askEngine(state, instance, { path: metricsPath }).then((answer) => {
          asked.set(instance, state.now());
          instance.room.observe(answer === null ? null : readEngine(answer), instance.inflight, state.now());
          if (deployment.waiting > 0) deployment.dispatch();
        });
      }
    }
  };
}
