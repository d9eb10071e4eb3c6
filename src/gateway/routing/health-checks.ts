import type { Exchange, UpstreamFailure, UpstreamSink } from '../../io/upstream-pool/types.ts';
import type { Deployment } from './deployment.ts';
import { checkDue } from './health.ts';
import type { Instance } from './instance.ts';
import { afterNoWay, hasVanished } from './vanished.ts';
import type { NoWay, Unreached } from './vanished.ts';
import type { GatewayState } from '../state.ts';

/**
 * What a check told. "silent": it was reached, and gave no good answer. "untrusted": it was reached, and no TLS came about.
 * "untold": no connection came about, for a reason that says nothing of its machine, as when a name is not found.
 */
export type CheckResult = 'well' | 'loading' | 'silent' | 'untrusted' | 'untold' | NoWay;

/** An engine that is busy may be slow to say so. */
const answerMs = 5000;

/**
 * Asks every instance with a healthPath how it is, each `probeMs` and when its ejection is over; one question at a time
 * for each. To be called at every tick.
 */
export function createHealthChecks(state: GatewayState): (now: number) => void {
  /** When each was asked last; Infinity while the answer is awaited. */
  const asked = new WeakMap<Instance, number>();
  const unreached = new WeakMap<Instance, Unreached>();
  const silent = new WeakSet<Instance>();
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
        // A kept connection to a machine that has vanished stays silent, and so may the next one.
        void check(state, instance, { path: healthPath, anew: silent.has(instance) }).then((result) => {
          if (result === 'silent') silent.add(instance);
          else silent.delete(instance);
          asked.set(instance, state.now());
          note(deployment, instance, result);
          noteWay(unreached, { instance, result, now: state.now() });
        });
      }
    }
  };
}

function note(deployment: Deployment, instance: Instance, result: CheckResult): void {
  if (result === 'well' || result === 'loading') deployment.checked(instance, result);
  else deployment.judge(instance, result === 'silent' ? 'broke' : 'connect-failed');
}

/** What an engine that has vanished was to begin is begun elsewhere, and not after the kernel's quarter of an hour. */
function noteWay(
  unreached: WeakMap<Instance, Unreached>,
  { instance, result, now }: { instance: Instance; result: CheckResult; now: number },
): void {
  if (result === 'untold') return;
  if (result !== 'unreachable' && result !== 'refused' && result !== 'unanswered') {
    unreached.delete(instance);
    return;
  }
  const row = afterNoWay(unreached.get(instance) ?? null, result, now);
  unreached.set(instance, row);
  if (hasVanished(row, now)) instance.pool.giveUp(row.since);
}

function check(
  state: GatewayState,
  instance: Instance,
  { path, anew }: { path: string; anew: boolean },
): Promise<CheckResult> {
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
      if (exchange?.sent === false) result = exchange.reached ? 'untrusted' : 'unanswered';
      exchange?.abort();
      end();
    });
    const sink: UpstreamSink = {
      onHead: ({ status }) => (result = resultOf(status)),
      onBody: () => {},
      onEnd: end,
      onFail: (failure) => {
        result = resultOfFailure(failure);
        end();
      },
    };
    exchange = instance.pool.send({ method: 'GET', path, headers, body: [], anew }, sink);
  });
}

/** A path that the engine does not have (404) tells as well as any that the engine is there. */
function resultOf(status: number): CheckResult {
  if (status === 503) return 'loading';
  return status < 500 ? 'well' : 'silent';
}

const away = /^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN)$/;

function resultOfFailure({ kind, code = '' }: UpstreamFailure): CheckResult {
  if (kind === 'untrusted') return 'untrusted';
  if (kind !== 'refused' && kind !== 'connect-timeout') return 'silent';
  if (away.test(code)) return 'unreachable';
  if (code === 'ETIMEDOUT') return 'unanswered';
  if (code === 'ECONNREFUSED') return 'refused';
  return kind === 'connect-timeout' ? 'untrusted' : 'untold';
}
