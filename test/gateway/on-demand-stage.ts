import type { DemandPhase, OnDemandConfig, OnDemandModel } from '../../src/domain/on-demand.ts';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import type { Clock } from '../../src/io/clock.ts';
import { configFor, engine, front } from './harness.ts';
import type { RunningGateway } from './harness.ts';
import { wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Script } from './fake-upstream.ts';

const GiB = 1024 ** 3;

/** A gateway with models on demand, and the test in the place of the process that starts engines. */
export interface Stage {
  readonly gateway: RunningGateway;
  /** What the gateway has asked for, such as "load a". */
  readonly asked: readonly string[];
  readonly engines: Readonly<Record<string, FakeUpstream>>;
  /** The engine runs: the gateway is told so. */
  readonly loaded: (name: string) => Promise<void>;
  readonly unloaded: (name: string) => Promise<void>;
  /** Its model is here: how it is from now on, such as what it needs. */
  readonly fetched: (name: string, model?: Partial<OnDemandModel>) => Promise<void>;
  /** The same, but nothing new of it reaches the gateway. */
  readonly fetchEnded: (name: string) => Promise<void>;
  readonly failed: (name: string, reason: string) => Promise<void>;
  /** State of a model as clients see it. */
  readonly state: (name: string) => Promise<string | undefined>;
}

/** Each model takes 4 GiB of 6, unless said otherwise: one fits at a time. */
export async function stage(
  models: Readonly<Record<string, Partial<OnDemandModel>>>,
  more: {
    script?: Script;
    onDemand?: Partial<OnDemandConfig>;
    config?: Parameters<typeof configFor>[1];
    clock?: Clock;
  } = {},
): Promise<Stage> {
  const names = Object.keys(models);
  const engines: Record<string, FakeUpstream> = {};
  for (const name of names) engines[name] = await engine(more.script ?? wellBehaved);
  const phases = new Map<string, DemandPhase>();
  const asked: string[] = [];
  const known = { ...models };

  function config(): GatewayConfig {
    const running = names.filter((name) => phases.get(name) === 'running');
    return configFor(
      running.map((name) => ({ id: name, deployment: name, url: engines[name]?.url ?? '' })),
      {
        routes: names.map((name) => ({ name, to: [{ deployment: name, weight: 1 }], aliasOf: null })),
        ...more.config,
        onDemand: {
          models: names.map((name) => modelOf(name, phases.get(name) ?? 'gone', known[name] ?? {})),
          room: { host: 6 * GiB, gpu: null },
          sets: null,
          patienceMs: 0,
          ...more.onDemand,
        },
      },
    );
  }
  const gateway = await front(config(), more.clock ? { clock: more.clock } : {}, {
    fetch: (name) => void (asked.push(`fetch ${name}`), phases.set(name, 'fetching')),
    load: (name) => void (asked.push(`load ${name}`), phases.set(name, 'starting')),
    unload: (name) => void (asked.push(`unload ${name}`), phases.set(name, 'ending')),
  });
  async function become(name: string, phase: DemandPhase): Promise<void> {
    phases.set(name, phase);
    await gateway.reload(config());
  }
  return {
    gateway,
    asked,
    engines,
    loaded: (name) => become(name, 'running'),
    unloaded: (name) => become(name, 'gone'),
    fetched: async (name, model = {}) => {
      Object.assign(known, { [name]: { ...known[name], toFetch: false, ...model } });
      await become(name, 'gone');
      await gateway.control({ do: 'fetch-ended', deployment: name });
    },
    fetchEnded: async (name) => {
      await gateway.control({ do: 'fetch-ended', deployment: name });
    },
    failed: async (name, reason) => {
      await become(name, 'gone');
      await gateway.control({ do: 'load-failed', deployment: name, reason });
    },
    state: async (name) => {
      const reply = await fetch(`${gateway.url}/v1/models/${name}`);
      return ((await reply.json()) as { status?: string }).status;
    },
  };
}

function modelOf(name: string, phase: DemandPhase, more: Partial<OnDemandModel>): OnDemandModel {
  return {
    deployment: name,
    phase,
    toFetch: false,
    paths: [],
    ttlMs: 0,
    need: { host: 4 * GiB, gpu: 0 },
    loadMs: 20_000,
    startTimeoutMs: 60_000,
    logFiles: [],
    startedAs: '',
    ...more,
  };
}
