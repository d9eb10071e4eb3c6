import { expect, test } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { startFakeUpstream } from './fake-upstream.ts';
import { faults, faultyEngine } from './faults.ts';
import { probed, probeFlags, runProgram } from './gateway-process.ts';
import type { Program } from './gateway-process.ts';
import { configFor, dial, engine, sumOf, until } from './harness.ts';
import { visit } from './honest-client.ts';
import type { Outcome } from './honest-client.ts';

const seed = 20_261_124;
const requests = 10_000;
const atOnce = 48;

/** Faults after which no reply can be whole. */
const hopeless = new Set([
  'endless prefill',
  'silent midway',
  'dies before the head',
  'closes before the head',
  'dies within the head',
  'dies between events',
  'dies within an event',
  'dies within a character',
  'ends without the last chunk',
  'broken framing',
  'garbage',
  'both framings',
  'plain that breaks off',
  '429',
  '429 with Retry-After',
  '500',
  '503',
  '503 with Retry-After',
]);

test(`of ${requests} requests at random faults (seed ${seed}) each ends honestly, and nothing is left behind`, async () => {
  const engines = await Promise.all([engine(faultyEngine()), engine(faultyEngine())]);
  const refusing = await startFakeUpstream(() => {});
  await refusing.stop();
  const config = configFor(
    [...engines, refusing].map(({ url }) => ({ url, slots: 16 })),
    { limits: { idleMs: 1000, queue: 64, queueMs: 10_000 } },
  );
  const program = await runProgram(config, [], probeFlags);
  const port = Number(new URL(await program.url()).port);

  const warmUp = await storm(port, 2000, 1);
  await settled(port, program);
  const before = (await probed(program)).heap;
  const ends = await storm(port, requests, 2);
  await settled(port, program);

  expect(lies(ends)).toEqual([]);
  expect(ends.filter(({ fault, outcome }) => outcome === 'success' && hopeless.has(fault))).toEqual([]);
  for (const outcome of ['success', 'refused', 'in-band', 'left'] as const)
    expect([outcome, ends.filter((end) => end.outcome === outcome).length > requests / 100]).toEqual([
      outcome,
      true,
    ]);
  const metrics = await scrape(port);
  // Who leaves at once may leave before the request is there.
  const counted = sumOf(metrics, 'berth_gateway_requests_total');
  const left = [...warmUp, ...ends].filter(({ outcome }) => outcome === 'left').length;
  expect(counted).toBeLessThanOrEqual(warmUp.length + ends.length);
  expect(counted).toBeGreaterThanOrEqual(warmUp.length + ends.length - left);
  for (const gauge of ['inflight', 'queue_depth', 'body_bytes'])
    expect([gauge, sumOf(metrics, `berth_gateway_${gauge}`)]).toEqual([gauge, 0]);
  const after = await probed(program);
  expect(after.heap).toBeLessThan(before * 1.1);
  // A rejection that nobody handles ends the process; a fault of its own is logged.
  expect([program.child.exitCode, program.stderr()]).toEqual([null, '']);
}, 900_000);

interface End {
  readonly fault: string;
  readonly outcome: Outcome;
}

async function storm(port: number, count: number, stream: number): Promise<End[]> {
  const random = seededRandom(seed, stream);
  const names = Object.keys(faults);
  const plans = Array.from({ length: count }, () => {
    // Half of them have nothing wrong at the engine, so that its health is not the only thing tried.
    const fault = random.next() < 0.5 ? 'none' : (names[Math.floor(random.next() * names.length)] ?? 'none');
    const leaves = fault === 'endless prefill' || random.next() < 0.05;
    const leaveAfterMs = leaves ? Math.floor(random.next() * 40) : null;
    return { port, fault, leaveAfterMs, pauseMs: random.next() < 0.02 ? 20 : 0 };
  });
  const ends: End[] = [];
  async function work(): Promise<void> {
    for (let plan = plans.pop(); plan; plan = plans.pop())
      ends.push({ fault: plan.fault, outcome: await visit(plan) });
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return ends;
}

function lies(ends: readonly End[]): End[] {
  return ends.filter(({ outcome }) => typeof outcome !== 'string').slice(0, 5);
}

/** All connections are closed, those that are kept for a while as well. */
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
