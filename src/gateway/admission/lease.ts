import type { Instance } from '../routing/instance.ts';

/**
 * The right to have one request under way at an instance. Taken by the deployment, given back exactly once however
 * the request ends (`using`).
 */
export class Lease {
  readonly instance: Instance;
  readonly #giveBack: (instance: Instance) => void;
  #held = true;

  constructor(instance: Instance, giveBack: (instance: Instance) => void) {
    this.instance = instance;
    this.#giveBack = giveBack;
    instance.inflight += 1;
  }

  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.instance.inflight -= 1;
    this.#giveBack(this.instance);
  }
}
