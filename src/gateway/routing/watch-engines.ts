import type { BodyRead, Exchange, UpstreamSink } from '../../io/upstream-pool/types.ts';
import type { Instance } from './instance.ts';
import { readEngine } from '../limits/engine-reading.ts';
import type { EngineReading } from '../limits/engine-reading.ts';
import type { GatewayState } from '../state.ts';

const busyMs = 1000;
const idleMs = 5000;
const answerMs = 2000;
/** Beyond this it is no list of an engine's figures. */
const mostBytes = 4 * 1024 * 1024;

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
        void ask(state, instance, metricsPath).then((reading) => {
          asked.set(instance, state.now());
          instance.room.observe(reading, instance.inflight, state.now());
          if (deployment.waiting > 0) deployment.dispatch();
        });
      }
    }
  };
}

/** Null for whatever is no good answer in time. */
function ask(state: GatewayState, instance: Instance, path: string): Promise<EngineReading | null> {
  return new Promise((resolve) => {
    const headers = ['accept-encoding', 'identity'];
    if (instance.key !== null) headers.push('authorization', `Bearer ${instance.key}`);
    const parts: Buffer[] = [];
    let size = 0;
    let status = 0;
    let exchange: Exchange | null = null;
    function end(reading: EngineReading | null): void {
      callOff();
      resolve(reading);
    }
    function giveUp(): void {
      exchange?.abort();
      end(null);
    }
    const callOff = state.after(answerMs, giveUp);
    const sink: UpstreamSink = {
      onHead: (head) => ({ status } = head),
      onBody: (read) => {
        size += read.raw.length;
        if (size > mostBytes) giveUp();
        else parts.push(payloadOf(read));
      },
      onEnd: () => end(status === 200 ? readEngine(Buffer.concat(parts).toString('utf8')) : null),
      onFail: () => end(null),
    };
    exchange = instance.pool.send({ method: 'GET', path, headers, body: [] }, sink);
  });
}

/** A copy: what was read is valid only while it is handed over. */
function payloadOf({ raw, spans, spanCount }: BodyRead): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < spanCount; i += 2) parts.push(raw.subarray(spans[i], spans[i + 1]));
  return Buffer.concat(parts);
}
