import type { Exchange, UpstreamSink } from '../../io/upstream-pool/types.ts';
import type { Deployment } from './deployment.ts';
import { checkDue } from './health.ts';
import type { Instance } from './instance.ts';
import type { GatewayState } from '../state.ts';

/** What a check told; "silent": it was reached, and gave no good answer. */
export type CheckResult = 'well' | 'loading' | 'refused' | 'silent';

/** An engine that is busy may be slow to say so. */
const answerMs = 5000;

/**
 * Asks every instance with a healthPath how it is, each `probeMs` and when its ejection is over; one question at a time
 * for each. To be called at every tick.
 */
export function createHealthChecks(state: GatewayState): (now: number) => void {
  /** When each was asked last; Infinity while the answer is awaited. */
  const asked = new WeakMap<Instance, number>();
  return (now) => {
    if (state.draining) return;
    const { deployments, config } = state.snapshot;
    for (const deployment of deployments.values()) {
      if (deployment.demand && deployment.demand.state !== 'ready') continue;
      for (const instance of deployment.instances) {
        const { healthPath } = instance.upstream;
        const last = asked.get(instance) ?? -Infinity;
        if (healthPath === null || last === Infinity) continue;
        if (now - last < config.limits.probeMs && !checkDue(instance.health, now)) continue;
        asked.set(instance, Infinity);
        void check(state, instance, healthPath).then((result) => {
          asked.set(instance, state.now());
          note(deployment, instance, result);
        });
      }
    }
  };
}

function note(deployment: Deployment, instance: Instance, result: CheckResult): void {
  if (result === 'well' || result === 'loading') deployment.checked(instance, result);
  else deployment.judge(instance, result === 'refused' ? 'connect-failed' : 'broke');
}

function check(state: GatewayState, instance: Instance, path: string): Promise<CheckResult> {
  return new Promise((resolve) => {
    const headers = ['accept-encoding', 'identity'];
    if (instance.key !== null) headers.push('authorization', `Bearer ${instance.key}`);
    let result: CheckResult = 'silent';
    let exchange: Exchange | null = null;
    function end(): void {
      callOff();
      resolve(result);
    }
    const callOff = state.after(answerMs, () => {
      exchange?.abort();
      end();
    });
    const sink: UpstreamSink = {
      onHead: ({ status }) => (result = resultOf(status)),
      onBody: () => {},
      onEnd: end,
      onFail: ({ kind }) => {
        result =
          kind === 'refused' || kind === 'untrusted' || kind === 'connect-timeout' ? 'refused' : 'silent';
        end();
      },
    };
    exchange = instance.pool.send({ method: 'GET', path, headers, body: [] }, sink);
  });
}

/** A path that the engine does not have (404) tells as well as any that the engine is there. */
function resultOf(status: number): CheckResult {
  if (status === 503) return 'loading';
  return status < 500 ? 'well' : 'silent';
}
