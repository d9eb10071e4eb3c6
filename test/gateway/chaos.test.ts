import { expect, test } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { startFakeUpstream } from './fake-upstream.ts';
import { allowedEnds, faultNames, isStalled, mended, mendedWithinBudget, mustSucceed } from './fault-ends.ts';
import type { Plan } from './fault-ends.ts';
import { faultyEngine } from './faults.ts';
import { probed, probeFlags, runProgram } from './gateway-process.ts';
import type { Program } from './gateway-process.ts';
import { configFor, dial, engine, sumOf, until } from './harness.ts';
import { visit } from './honest-client.ts';
import type { Outcome } from './honest-client.ts';

const seed = 20_261_124;
const requests = 10_000;
const atOnce = 48;
/** One more or less of those that sockets read into may be there at any time: it is a tenth of all. */
const readBuffer = 65_536;

test(`of ${requests} requests at random faults (seed ${seed}) each ends honestly, and nothing is left behind`, async () => {
  const met = new Set<string>();
  const engines = await Promise.all([engine(faultyEngine(met)), engine(faultyEngine(met))]);
  for (const one of engines) one.closeUnusedAfter(5000);
  const refusing = await startFakeUpstream(() => {});
  await refusing.stop();
  const config = configFor(
    [...engines, refusing].map(({ url }) => ({ url, slots: 16 })),
    { limits: { idleMs: 1000, queue: 64, queueMs: 10_000 } },
  );
  const program = await runProgram(config, [], probeFlags);
  const port = Number(new URL(await program.url()).port);

  const warmUp = [...(await storm(port, 2000, 1)), ...(await rush(port))];
  await settled(port, program);
  const before = await probed(program);
  const ends = await storm(port, requests, 2);
  const rushed = await rush(port);
  await settled(port, program);

  const all = [...warmUp, ...ends, ...rushed];
  const stalled = all.filter(({ plan, outcome }) => isStalled(plan, outcome));
  expect(stalled.length).toBeLessThan(all.length / 100);
  const wrong = all.filter((end) => !stalled.includes(end) && !allowedEnds(end.plan).test(end.outcome));
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(untried(ends)).toEqual([]);
  expect(rushed.map(({ outcome }) => outcome)).toContainEqual(expect.stringMatching(/^429 queue_full, /));
  // Of those that nothing but a lack of room can keep from a whole reply, all but a few: the engines have room for most.
  const due = ends.filter(({ plan }) => mustSucceed(plan));
  const whole = due.filter(({ outcome }) => outcome === 'success');
  expect(due.length).toBeGreaterThan(requests / 2);
  expect(whole.length).toBeGreaterThan(due.length * 0.95);
  const metrics = await scrape(port);
  // Who leaves at once may leave before the request is there.
  const counted = sumOf(metrics, 'berth_gateway_requests_total');
  const left = all.filter(({ outcome }) => outcome === 'left').length;
  expect(counted).toBeLessThanOrEqual(all.length);
  expect(counted).toBeGreaterThanOrEqual(all.length - left);
  for (const gauge of ['inflight', 'queue_depth', 'body_bytes'])
    expect([gauge, sumOf(metrics, `berth_gateway_${gauge}`)]).toEqual([gauge, 0]);
  const after = await probed(program);
  expect(after.heap).toBeLessThan(before.heap * 1.1);
  expect(after.arrayBuffers).toBeLessThan(before.arrayBuffers * 1.1 + readBuffer);
  // A rejection that nobody handles ends the process; a fault of its own is logged.
  expect([program.child.exitCode, program.stderr()]).toEqual([null, '']);
}, 900_000);

interface End {
  readonly plan: Plan;
  readonly outcome: Outcome;
}

async function storm(port: number, count: number, stream: number): Promise<End[]> {
  const random = seededRandom(seed, stream);
  const plans = Array.from({ length: count }, (_, i) => {
    // Half of them have nothing wrong at the engine, so that its health is not the only thing tried.
    const fault =
      random.next() < 0.5 ? 'none' : (faultNames[Math.floor(random.next() * faultNames.length)] ?? 'none');
    const leaves = fault === 'endless prefill' || random.next() < 0.05;
    const leaveAfterMs = leaves ? Math.floor(random.next() * 40) : null;
    const mayMend = mended.includes(fault) || mendedWithinBudget.includes(fault);
    const once = mayMend && random.next() < 0.5 ? `${stream}-${i}` : null;
    return { port, fault, once, leaveAfterMs, pauseMs: random.next() < 0.02 ? 20 : 0 };
  });
  const ends: End[] = [];
  async function work(): Promise<void> {
    for (let plan = plans.pop(); plan; plan = plans.pop()) ends.push({ plan, outcome: await visit(plan) });
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return ends;
}

/** More at once than have room in the slots and in the queue, and each keeps its slot for a while. */
function rush(port: number): Promise<End[]> {
  const plan = { port, fault: 'silent midway', once: null, leaveAfterMs: null, pauseMs: 0 };
  return Promise.all(Array.from({ length: 400 }, async () => ({ plan, outcome: await visit(plan) })));
}

/** Faults that no request met that stayed to see what becomes of it, and ends that none came to. */
function untried(ends: readonly End[]): string[] {
  const stayed = ends.filter(({ plan }) => plan.leaveAfterMs === null);
  const met = new Set(stayed.map(({ plan }) => plan.fault));
  const sorts = [
    'success',
    'left',
    'broken',
    'in-band upstream_failed',
    'in-band upstream_timeout',
    '429 none, 7',
  ];
  return [
    ...faultNames.filter((name) => name !== 'endless prefill' && !met.has(name)),
    ...sorts.filter((sort) => !ends.some(({ outcome }) => outcome === sort)),
    ...mendedWithinBudget.filter(
      (name) => !stayed.some(({ plan, outcome }) => plan.fault === name && outcome === 'success'),
    ),
  ];
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
