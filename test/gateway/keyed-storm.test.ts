import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import type { KeyLimits } from '../../src/domain/key-limits.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { openUsageStore } from '../../src/io/usage-store.ts';
import { seededRandom } from '../../src/stats/random.ts';
import type { Random } from '../../src/stats/random.ts';
import { chatEvent, doneEvent } from './fake-upstream.ts';
import type { FakeUpstream, Script, Turn } from './fake-upstream.ts';
import { allowedEnds, faultNames, isStalled } from './fault-ends.ts';
import type { Plan } from './fault-ends.ts';
import { faultyEngine } from './faults.ts';
import { probed, probeFlags, runProgram } from './gateway-process.ts';
import type { Program } from './gateway-process.ts';
import { configFor, dial, engine, sha256, sumOf, until } from './harness.ts';
import { visit } from './honest-client.ts';
import type { Outcome } from './honest-client.ts';

const seed = 20_261_129;
const requests = 2400;
const reloads = 12;
const atOnce = 48;
/** Of sockets, 64 KiB each, kept for the next ones: from six storms to the next the sum went up and down by three. */
const readBuffers = 4 * 65_536;

/** What each key may take. "rough" meets faults and leaves; all others ask an engine that has none. */
const limits: Readonly<Record<string, KeyLimits>> = {
  exact: { budget: { month: { tokens: 10_000_000 } } },
  small: { budget: { month: { tokens: 1200 } } },
  paced: { rpm: 40, budget: { month: { tokens: 10_000_000 } } },
  tokens: { tpm: 3000, budget: { month: { tokens: 10_000_000 } } },
  narrow: { concurrent: 3, budget: { month: { tokens: 10_000_000 } } },
  first: { priority: 'high', budget: { month: { tokens: 10_000_000 } } },
  rough: { budget: { month: { tokens: 10_000_000 } } },
  /** Comes and goes with the reloads. */
  guest: { budget: { month: { tokens: 10_000_000 } } },
};
const keys = Object.keys(limits);

/** Refusals that a key may meet beside those of the queue. */
const refusals: Readonly<Record<string, string>> = {
  small: '429 insufficient_quota',
  paced: '429 rate_limit_exceeded, [1-9]\\d*',
  tokens: '429 rate_limit_exceeded, [1-9]\\d*',
  narrow: '429 rate_limit_exceeded, [1-9]\\d*',
  guest: '401 invalid_api_key',
};

test(`of ${requests} requests with keys, limits and ${reloads} reloads (seed ${seed}) each ends honestly, and budgets are what was served`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth storm '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const usageFile = join(folder, 'usage.sqlite');
  const served = new Served(seededRandom(seed, 9));
  const engines = await Promise.all([0, 1, 2].map(() => engine(served.script())));
  for (const one of engines) one.closeUnusedAfter(5000);
  function config(version: number): GatewayConfig {
    return configOf(engines, { usageFile, version });
  }
  const program = await runProgram(config(0), [], probeFlags);
  const port = Number(new URL(await program.url()).port);
  let version = 0;
  async function reload(): Promise<void> {
    version += 1;
    const seen = program.events.filter(({ event }) => event === 'reloaded').length;
    await writeFile(program.file, JSON.stringify(config(version)));
    program.child.kill('SIGHUP');
    await until('it has read its file again', () => {
      return program.events.filter(({ event }) => event === 'reloaded').length > seen;
    });
  }

  const warmUp = await storm(port, { count: 1200, stream: 1, reload });
  await settled(port, program);
  const before = await probed(program);
  const ends = await storm(port, { count: requests, stream: 2, reload });
  // As it was when the heap was looked at.
  if (version % 2 !== 0) await reload();
  await settled(port, program);
  const after = await probed(program);

  const all = [...warmUp, ...ends];
  const wrong = all.filter(({ plan, outcome }) => !isStalled(plan, outcome) && !mayEnd(plan).test(outcome));
  expect(wrong.slice(0, 5)).toEqual([]);
  const sorts = new Set(all.map(({ plan, outcome }) => `${plan.key}: ${outcome.replace(/, \d+$/, '')}`));
  for (const key of keys) expect(sorts).toContain(`${key}: success`);
  for (const [key, refusal] of Object.entries(refusals))
    expect(sorts).toContain(`${key}: ${refusal.replace(/, .*/, '')}`);
  for (const end of ['in-band upstream_failed', 'left', 'broken']) expect(sorts).toContain(`rough: ${end}`);

  const metrics = await scrape(port);
  for (const gauge of ['inflight', 'queue_depth', 'body_bytes'])
    expect([gauge, sumOf(metrics, `berth_gateway_${gauge}`)]).toEqual([gauge, 0]);
  expect(sumOf(metrics, 'berth_gateway_queue_wait_seconds_count')).toBeGreaterThan(0);
  for (const key of keys.filter((one) => one !== 'rough')) {
    // Nothing is reserved any more: what is left is what the engines have not told of.
    const left = (limits[key]?.budget?.month?.tokens ?? 0) - served.total(key);
    const labels = `name="${key}",window="month"`;
    expect([key, sumOf(metrics, 'berth_gateway_budget_remaining', labels)]).toEqual([key, Math.max(0, left)]);
  }
  const store = await openUsageStore(usageFile);
  onTestFinished(() => store.close());
  function kept(key: string): { input: number; output: number } {
    const rows = store.since('2000-01-01').filter((row) => row.key === key);
    return {
      input: rows.reduce((sum, row) => sum + row.input, 0),
      output: rows.reduce((sum, row) => sum + row.output, 0),
    };
  }
  for (const key of keys.filter((one) => one !== 'rough')) {
    await until(`what ${key} has spent is written`, () => kept(key).output >= served.of(key).output);
    expect([key, kept(key)]).toEqual([key, served.of(key)]);
  }
  expect(after.heap).toBeLessThan(before.heap * 1.1);
  expect(after.arrayBuffers).toBeLessThan(before.arrayBuffers * 1.1 + readBuffers);
  expect([program.child.exitCode, program.stderr()]).toEqual([null, '']);
}, 900_000);

/** Even versions have all keys and three engines; odd ones lack the guest and an engine, and have a shorter queue. */
function configOf(
  engines: readonly FakeUpstream[],
  { usageFile, version }: { usageFile: string; version: number },
): GatewayConfig {
  const less = version % 2;
  return configFor(
    engines.slice(less).map(({ url }) => ({ url, id: url, slots: 8 })),
    {
      keys: keys
        .filter((key) => less === 0 || key !== 'guest')
        .map((key) => ({ id: key, name: key, sha256: sha256(key), limits: limits[key] })),
      quotas: { ...noQuotas, usageFile },
      limits: { idleMs: 5000, queue: less ? 24 : 64, queueMs: 10_000 },
    },
  );
}

interface KeyedPlan extends Plan {
  readonly key: string;
}

interface End {
  readonly plan: KeyedPlan;
  readonly outcome: Outcome;
}

function mayEnd(plan: KeyedPlan): RegExp {
  const usual = allowedEnds(plan).source.replace(/^\^\(|\)\$$/g, '');
  const refusal = refusals[plan.key];
  return new RegExp(`^(${refusal === undefined ? usual : `${usual}|${refusal}`})$`);
}

async function storm(
  port: number,
  { count, stream, reload }: { count: number; stream: number; reload: () => Promise<void> },
): Promise<End[]> {
  const random = seededRandom(seed, stream);
  const plans = Array.from({ length: count }, () => {
    const key = keys[random.below(keys.length)] ?? '';
    const rough = key === 'rough';
    const fault = rough ? (faultNames[random.below(faultNames.length)] ?? 'none') : 'none';
    const leaves = rough && (fault === 'endless prefill' || random.next() < 0.2);
    return {
      port,
      key,
      fault,
      once: null,
      leaveAfterMs: leaves ? random.below(40) : null,
      pauseMs: random.next() < 0.02 ? 20 : 0,
    };
  });
  const ends: End[] = [];
  const every = Math.floor(count / reloads);
  let reloading = Promise.resolve();
  async function work(): Promise<void> {
    for (let plan = plans.pop(); plan; plan = plans.pop()) {
      if (plans.length % every === 0) reloading = reloading.then(reload);
      ends.push({ plan, outcome: await visit(plan) });
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  await reloading;
  return ends;
}

/** Engines that keep an account of what they have told of tokens, by who asked. */
class Served {
  readonly #random: Random;
  readonly #by = new Map<string, { input: number; output: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  of(key: string): { input: number; output: number } {
    return this.#by.get(key) ?? { input: 0, output: 0 };
  }

  total(key: string): number {
    const { input, output } = this.of(key);
    return input + output;
  }

  /** Faults as they are asked for; all others are served after a moment, with a count of tokens at the end. */
  script(): Script {
    const faulty = faultyEngine(new Set());
    /** Connections that this engine has ended: what comes there all the same, it does not read. */
    const ended = new Set<number>();
    return (turn) => {
      const { connection, headers } = turn.request;
      if (ended.has(connection)) return undefined;
      if (headers['x-fault'] === 'closes a kept connection') ended.add(connection);
      if (headers['x-fault'] !== 'none') return faulty(turn);
      setTimeout(() => this.#serve(turn), this.#random.below(12));
      return undefined;
    };
  }

  #serve(turn: Turn): void {
    const asked = JSON.parse(turn.request.body) as {
      user?: string;
      stream_options?: { include_usage?: boolean };
    };
    const key = asked.user ?? '';
    const told = { input: 3 + this.#random.below(40), output: 1 + this.#random.below(30) };
    const { input, output } = this.of(key);
    this.#by.set(key, { input: input + told.input, output: output + told.output });
    const usage = {
      prompt_tokens: told.input,
      completion_tokens: told.output,
      total_tokens: told.input + told.output,
    };
    turn.stream();
    for (const text of ['Hel', 'lo', '!']) turn.chunk(chatEvent(text));
    if (asked.stream_options?.include_usage)
      turn.chunk(`data: ${JSON.stringify({ id: 'c1', choices: [], usage })}\n\n`);
    turn.chunk(doneEvent);
    turn.endChunks();
  }
}

async function settled(port: number, program: Program): Promise<void> {
  await until('nothing is under way', async () => sumOf(await scrape(port), 'berth_gateway_inflight') === 0);
  await until('its sockets are closed', async () => (await probed(program)).sockets === 0);
}

/** On a connection that is not kept, so that none of ours is counted. */
async function scrape(port: number): Promise<string> {
  const wire = await dial(port, 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await wire.closed;
  return wire.text();
}
