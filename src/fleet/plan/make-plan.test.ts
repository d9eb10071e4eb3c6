import { expect, test } from 'vitest';
import type { Instance } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import { makePlan } from './make-plan.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';

function spec(change: Partial<LaunchSpec> = {}): LaunchSpec {
  return {
    engine: 'command',
    program: { binary: 'server' },
    args: ['--port', { hole: 'port' }],
    env: {},
    secrets: {},
    model: null,
    mmproj: null,
    writable: [],
    devices: { vendor: 'none', count: 0 },
    readiness: { path: '/health', startTimeoutMs: 1000 },
    metricsPath: null,
    stop: { signal: 'SIGTERM', graceMs: 1000 },
    slots: 2,
    servedModel: null,
    ...change,
  };
}

function deployment(name: string, change: Partial<Deployment> = {}): Deployment {
  return {
    name,
    host: 'local',
    model: null,
    engine: { kind: 'command' },
    target: { kind: 'process' },
    port: null,
    replicas: 1,
    gpus: 0,
    resources: null,
    policy: null,
    onDemand: null,
    hungAfter: 60_000,
    ownKey: false,
    protect: false,
    onClientAbort: null,
    limits: null,
    declared: { 'engine.kind': 'command', 'engine.slots': 2 },
    ...change,
  };
}

let nextPid = 100;

function running(name: string, port: number, change: Partial<NonNullable<Instance['mark']>> = {}): Instance {
  nextPid += 1;
  return {
    host: 'local',
    object: { target: 'process', id: String(nextPid), name: `process ${nextPid}` },
    alive: true,
    trouble: null,
    process: { bootId: 'boot', pid: nextPid, startTicks: nextPid },
    engine: 'command',
    model: null,
    owner: { kind: 'berth', name: `lab/${name}`, user: null },
    endpoints: [{ address: '127.0.0.1', port, netns: '1' }],
    rssBytes: null,
    startedAt: null,
    mark: {
      fleet: 'lab',
      fleetId: 'lab',
      deployment: name,
      replica: 0,
      target: { kind: 'process' },
      address: '127.0.0.1',
      port,
      logFile: '/log',
      declared: { 'engine.kind': 'command', 'engine.slots': 2 },
      spec: spec(),
      ...change,
    },
  };
}

function plan(
  deployments: readonly Deployment[],
  instances: readonly Instance[],
  options: {
    used?: readonly number[];
    specs?: Record<string, LaunchSpec>;
    named?: string[];
    refresh?: boolean;
    reserve?: number[];
    freeBytes?: number;
  } = {},
): Plan {
  const loaded: LoadedFleet = {
    fleet: 'lab',
    fleetId: 'lab',
    files: [],
    hosts: {
      local: {
        become: 'none',
        ports: { from: 1000, to: 1003 },
        reserve: options.reserve ?? [],
      },
    },
    models: {},
    publishers: {},
    deployments,
    gateway: {
      listen: [{ address: '127.0.0.1', port: 1000 }],
      routes: {},
      keys: {},
      allowAnonymous: false,
      hosts: [],
      limits: {},
    },
    console: { listen: { address: '127.0.0.1', port: 8485 } },
    benchmarks: {},
    experiments: {},
    audit: { suppress: [], figures: [] },
    withheld: [],
    written: { gateway: {}, deployments: {}, experiments: {} },
    warnings: [],
  };
  return makePlan({
    loaded,
    desired: deployments
      .filter((one) => one.atRest === undefined)
      .flatMap((one) =>
        Array.from({ length: one.replicas }, (_, replica) => ({
          deployment: one,
          replica,
          spec: options.specs?.[one.name] ?? spec(),
        })),
      ),
    instances,
    traits: () => ({ supervises: false, beside: true, parks: true }),
    unseen: new Set(),
    usedPorts: () => new Set([...(options.used ?? []), ...instances.flatMap((one) => one.mark?.port ?? [])]),
    refresh: options.refresh ?? false,
    restart: [],
    named: options.named ?? [],
    freeBytes: () => options.freeBytes ?? null,
    modelBytes: (_host, path) => (path === '/big.gguf' ? 900 : 0),
    renderedOtherwise: new Map(),
  });
}

function short(actions: readonly Action[]): string[] {
  return actions.map((action) => `${action.do} ${action.deployment}-${action.replica}`);
}

test('a port is the lowest of the pool that nobody has, wants, reserves or is about to use', () => {
  const { actions } = plan([deployment('a'), deployment('b', { port: 1001 })], [], { reserve: [1002] });
  expect(actions.map((action) => action.do === 'start' && action.wanted.port)).toEqual([1003, 1001]);
});

test('a pool without a free port is a fault that names it', () => {
  expect(() => plan([deployment('a')], [], { used: [1001, 1002, 1003] })).toThrow(
    'no free port from 1000 to 1003',
  );
});

test('what the user changed is a reason, in the words of the file', () => {
  const changed = deployment('a', { declared: { 'engine.kind': 'command', 'engine.slots': 4 } });
  const { actions } = plan([changed], [running('a', 1001)], { specs: { a: spec({ slots: 4 }) } });
  expect(actions[0]).toMatchObject({ do: 'replace', wanted: { port: 1001 }, running: { port: 1001 } });
  expect(actions[0]?.reasons).toEqual([{ field: 'engine.slots', text: 'engine.slots: 2 → 4' }]);
});

test('a given file that holds something else is a reason, also beside a port, and one that was moved or named otherwise is none', () => {
  function given(path: string, sha256: string): LaunchSpec {
    return spec({ secrets: { [`file-${path}-${sha256}`]: { given: path, sha256, bytes: 1 } } });
  }
  function reasons(path: string, sha256: string, port: number): string[] {
    const before = running('a', 1001, { spec: given('/one/t.jinja', 'aa') });
    const { actions } = plan([deployment('a', { port })], [before], { specs: { a: given(path, sha256) } });
    return actions.flatMap((one) => one.reasons.map(({ text }) => text));
  }
  expect(reasons('/one/t.jinja', 'bb', 1002)).toEqual([
    'port: 1001 → 1002',
    'file /one/t.jinja changed: restart',
  ]);
  expect(reasons('/two/t.jinja', 'bb', 1001)).toEqual(['file /two/t.jinja changed: restart']);
  for (const path of ['/one/t.jinja', '/one/u.jinja'])
    expect(reasons(path, 'aa', 1001)).toEqual(['it runs as the file says']);
});

test('what only berth renders otherwise is a finding, and an action with --refresh', () => {
  const specs = { a: spec({ args: ['--listen', { hole: 'port' }] }) };
  const kept = plan([deployment('a')], [running('a', 1001)], { specs });
  expect(short(kept.actions)).toEqual(['keep a-0']);
  expect(kept.findings.map((finding) => finding.rule)).toEqual(['rendered-otherwise']);
  const fresh = plan([deployment('a')], [running('a', 1001)], { specs, refresh: true });
  expect(short(fresh.actions)).toEqual(['replace a-0']);
});

test('to write down what was the default anyway changes nothing', () => {
  const said = deployment('a', {
    declared: { 'engine.kind': 'command', 'engine.slots': 2, 'target.kind': 'process' },
  });
  expect(short(plan([said], [running('a', 1001)]).actions)).toEqual(['keep a-0']);
});

test('fewer replicas, a removed deployment and a twin end, each with its reason', () => {
  const instances = [
    running('a', 1001),
    running('a', 1002),
    running('a', 1003, { replica: 1 }),
    running('gone', 1004),
  ];
  const { actions } = plan([deployment('a')], instances);
  expect(short(actions)).toEqual(['stop a-0', 'stop a-1', 'stop gone-0', 'keep a-0']);
  expect(actions.flatMap((action) => action.reasons.map((reason) => reason.text))).toEqual([
    'it runs twice',
    'the file wants 1 of it',
    'the file no longer names this deployment',
    'it runs as the file says',
  ]);
});

test('the same input gives the same plan', () => {
  const instances = [running('a', 1001)];
  const deployments = [deployment('a'), deployment('b')];
  expect(plan(deployments, instances)).toEqual(plan(deployments, instances));
});

test('a replacement stands beside the old engine where the port is free to choose and memory has room for both', () => {
  const declared = { 'engine.kind': 'command', 'engine.slots': 4 };
  const old = { ...running('a', 1001), rssBytes: 100 };
  function replaced(
    change: Partial<Deployment>,
    options: { freeBytes?: number; spec?: Partial<LaunchSpec>; used?: number[] } = {},
  ): unknown {
    const specs = { a: spec({ slots: 4, ...options.spec }) };
    const [action] = plan([deployment('a', { declared, ...change })], [old], { specs, ...options }).actions;
    return action?.do === 'replace' ? [action.wanted.port, action.beside] : action?.do;
  }
  expect(replaced({}, { freeBytes: 200 })).toEqual([1002, true]);
  expect(replaced({ port: 1001 }, { freeBytes: 200 })).toEqual([1001, false]);
  expect(replaced({ port: 1003 }, { freeBytes: 200 })).toEqual([1003, true]);
  expect(replaced({}, { freeBytes: 120 })).toEqual([1001, false]);
  expect(replaced({})).toEqual([1001, false]);
  expect(replaced({ gpus: 1 }, { freeBytes: 200 })).toEqual([1001, false]);
  expect(replaced({}, { freeBytes: 1000, spec: { model: '/big.gguf' } })).toEqual([1001, false]);
  expect(replaced({}, { freeBytes: 200, used: [1000, 1002, 1003] })).toEqual([1001, false]);
});

test('who has the port that another is to get ends first, and the plan says that it is replaced in its place', () => {
  const old = [
    { ...running('a', 1001), rssBytes: 100 },
    { ...running('b', 1002), rssBytes: 100 },
  ];
  function replaced(ports: { a: number; b: number }): unknown {
    const deployments = [deployment('a', { port: ports.a }), deployment('b', { port: ports.b })];
    return plan(deployments, old, { freeBytes: 1000 }).actions.map((action) =>
      action.do === 'replace' ? [action.deployment, action.wanted.port, action.beside] : action.do,
    );
  }
  expect(replaced({ a: 1002, b: 1001 })).toEqual([
    ['a', 1002, false],
    ['b', 1001, false],
  ]);
  expect(replaced({ a: 1002, b: 1003 })).toEqual([
    ['a', 1002, true],
    ['b', 1003, false],
  ]);
});

test('of a protected deployment nothing is stopped, replaced or moved, whatever the file says, unless it is named', () => {
  const declared = { 'engine.kind': 'command', 'engine.slots': 4, protect: true };
  const changed = deployment('a', { declared, protect: true, replicas: 1 });
  const instances = [
    running('a', 1001),
    running('a', 1002, { replica: 1 }),
    running('lost', 1003, { declared: { protect: true } }),
    running('gone', 1004),
  ];
  const specs = { a: spec({ slots: 4 }) };
  const held = plan([changed], instances, { specs });
  expect(short(held.actions)).toEqual(['keep a-1', 'keep lost-0', 'stop gone-0', 'keep a-0']);
  expect(held.held?.map((one) => `${one.do} ${one.deployment}-${one.replica}`)).toEqual([
    'stop a-1',
    'stop lost-0',
    'replace a-0',
  ]);
  const named = plan([changed], instances, { specs, named: ['a', 'lost'] });
  expect(short(named.actions)).toEqual(['stop a-1', 'stop lost-0', 'stop gone-0', 'replace a-0']);
  expect(named.held).toBeUndefined();
});

test('protection that comes or goes restarts nothing', () => {
  const protect = deployment('a', {
    protect: true,
    declared: { 'engine.kind': 'command', 'engine.slots': 2, protect: true },
  });
  const specs = { a: spec({ args: ['--listen', { hole: 'port' }] }) };
  expect(short(plan([protect], [running('a', 1001)], { specs }).actions)).toEqual(['keep a-0']);
});

test('what stands still by its own object is left so and told, until it is named', () => {
  const parked = {
    ...running('a', 1001),
    alive: false,
    parked: true as const,
    trouble: 'is stopped by a word',
  };
  const left = plan([deployment('a')], [parked]);
  expect([short(left.actions), Object.keys(left.hosts)]).toEqual([[], ['local']]);
  expect(left.findings.map(({ rule, object, cure }) => [rule, object, cure])).toEqual([
    ['at-rest', 'a', '"berth start a" starts it.'],
  ]);
  const { actions } = plan([deployment('a')], [parked], { named: ['a'] });
  expect(actions).toMatchObject([{ do: 'start', wanted: { port: 1001 } }]);
  expect(actions[0]?.reasons[0]?.text).toContain('is stopped by a word');
});

test('what is stopped by hand may stand still as what it is, but not where the file wants it otherwise', () => {
  const resting = deployment('a', { atRest: '2026-01-01T00:00:00Z' });
  const one = running('a', 1001);
  expect(plan([resting], [one]).actions).toMatchObject([{ do: 'stop', parks: true }]);
  const parked = { ...one, alive: false, parked: true as const };
  expect(plan([resting], [parked])).toMatchObject({ actions: [], findings: [] });
  const second = { ...running('a', 1002, { replica: 1 }), alive: false, parked: true as const };
  const elsewhere = { ...one, host: 'ssh://b', alive: false, parked: true as const };
  expect(plan([resting], [second, elsewhere]).actions).toMatchObject([
    { do: 'stop', replica: 1 },
    { do: 'stop', replica: 0 },
  ]);
  expect(plan([resting], [second]).actions[0]).not.toHaveProperty('parks');
});
