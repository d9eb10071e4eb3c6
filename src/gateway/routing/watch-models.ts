import type { GatewayState } from '../state.ts';
import { askEngine } from './ask-engine.ts';
import type { Instance } from './instance.ts';
import { readOwnModels } from './own-models.ts';

const everyMs = 2000;

/** Answers that fail in a row until what was told before counts no more. */
const mostFailures = 3;

/** Asks every server that loads its models itself how far they are, one question at a time. To be called at every tick. */
export function createModelsWatch(state: GatewayState): (now: number) => void {
  /** When each was asked last; Infinity while the answer is awaited. */
  const asked = new WeakMap<Instance, number>();
  const failures = new WeakMap<Instance, number>();
  return (now) => {
    if (state.draining) return;
    for (const instance of state.snapshot.instances.values()) {
      const { modelsPath } = instance.upstream;
      const last = asked.get(instance) ?? -Infinity;
      if (modelsPath === undefined || last === Infinity || now - last < everyMs) continue;
      asked.set(instance, Infinity);
      void askEngine(state, instance, { path: modelsPath }).then((answer) => {
        asked.set(instance, state.now());
        const told = readOwnModels(answer);
        const failed = told === null ? (failures.get(instance) ?? 0) + 1 : 0;
        failures.set(instance, failed);
        if (told !== null || failed >= mostFailures) instance.models = told;
      });
    }
  };
}
