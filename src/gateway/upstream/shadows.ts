import type { MetricFamily } from '../../stats/prometheus.ts';
import { counters, histograms } from '../../stats/vectors.ts';
import { choiceOf } from '../routing/balancers.ts';
import type { Call } from '../front/call.ts';
import { BodyShare } from '../admission/held-bytes.ts';
import type { HeldBytes } from '../admission/held-bytes.ts';
import { bounds } from '../observe/metric-names.ts';
import type { ScannedBody } from '../front/request-body.ts';
import type { ShadowPlan } from '../routing/routes.ts';
import { Shadow } from './shadow.ts';
import type { ShadowEnd, ShadowOutcome } from './shadow.ts';

/** All copies under way, and what became of those before. */
export class Shadows {
  readonly #held: HeldBytes;
  readonly #after: (ms: number, task: () => void) => () => void;
  readonly #running = new Set<Shadow>();
  readonly #vectors = createVectors();
  #stopped = false;

  constructor(held: HeldBytes, after: (ms: number, task: () => void) => () => void) {
    this.#held = held;
    this.#after = after;
  }

  /**
   * Sends a copy if chance and the deployment allow it. Returns at once; what becomes of the copy never concerns the
   * request. Call it after the request itself has been sent. `random` is from 0 up to 1.
   */
  mirror(call: Call, body: ScannedBody, plan: ShadowPlan, random: number): void {
    if (this.#stopped || random * 100 >= plan.percent) return;
    const share = new BodyShare(this.#held);
    if (!share.take(body.bytes.length)) {
      this.#count(call, plan, 'no_memory');
      return;
    }
    let shadow: Shadow | null = null;
    const asker = { inbound: call.inbound, key: call.key, body };
    const lease = plan.deployment.acquireGuest(choiceOf(plan.choice, asker, call.choice), () =>
      shadow?.end('yielded'),
    );
    if (!lease) {
      share.release();
      this.#count(call, plan, 'busy');
      return;
    }
    const onEnd = (end: ShadowEnd): void => {
      if (shadow) this.#running.delete(shadow);
      this.#observe(call, plan, end);
    };
    shadow = new Shadow({ call, body, share, deployment: plan.deployment, after: this.#after, onEnd }, lease);
    this.#running.add(shadow);
  }

  /** Cuts all that is under way; from now on nothing is copied. */
  stop(): void {
    this.#stopped = true;
    for (const shadow of this.#running) shadow.end('stopped');
  }

  families(): MetricFamily[] {
    return Object.values(this.#vectors).map((vector) => vector.family());
  }

  #count(call: Call, { deployment }: ShadowPlan, outcome: ShadowOutcome): void {
    this.#vectors.requests.at(call.model, deployment.name, outcome).value += 1;
  }

  #observe(call: Call, plan: ShadowPlan, { outcome, seconds, firstSeconds, usage }: ShadowEnd): void {
    this.#count(call, plan, outcome);
    if (outcome !== 'done') return;
    const { duration, firstByte, tokens } = this.#vectors;
    const arm = [call.model, plan.deployment.name] as const;
    duration.at(...arm).observe(seconds);
    if (firstSeconds !== null) firstByte.at(...arm).observe(firstSeconds);
    if (usage?.input) tokens.at(...arm, 'input').value += usage.input;
    if (usage?.output) tokens.at(...arm, 'output').value += usage.output;
  }
}

function createVectors() {
  const name = 'berth_gateway_shadow';
  const arm = ['model', 'deployment'];
  return {
    requests: counters({
      name: `${name}_requests_total`,
      help: 'Copies of requests, by what became of them.',
      labels: [...arm, 'outcome'],
    }),
    duration: histograms({
      name: `${name}_duration_seconds`,
      help: 'From the sending of a copy to the end of its reply, of good replies.',
      labels: arm,
      bounds: bounds.long,
    }),
    firstByte: histograms({
      name: `${name}_first_byte_seconds`,
      help: 'From the sending of a copy to the first bytes of its reply, of good replies.',
      labels: arm,
      bounds: bounds.long,
    }),
    tokens: counters({
      name: `${name}_tokens_total`,
      help: 'Tokens of copies, as the engine counted them.',
      labels: [...arm, 'direction'],
    }),
  };
}
