import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExperimentStatus } from '../../src/domain/experiment.ts';
import { startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import type { FakeUpstream } from '../gateway/fake-upstream.ts';
import { postChat, until } from '../gateway/harness.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let engines: FakeUpstream[];

beforeEach(async () => {
  place = makePlace();
  engines = await Promise.all([startFakeUpstream(wellBehaved), startFakeUpstream(wellBehaved)]);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await Promise.all(engines.map((one) => one.stop()));
});

function fleet(experiment: string): string {
  return `version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
gateway: {listen: ["127.0.0.1:0"], metrics: {key: true}}
console: {listen: "127.0.0.1:0"}
deployments:
  full: {engine: {kind: openai, url: "${engines[0]?.url}/v1", servedModel: m}}
  small: {engine: {kind: openai, url: "${engines[1]?.url}/v1", servedModel: m}}
experiments: {${experiment}}
`;
}

test('an experiment is a route that holds clients to their arms, and its status says what it knows', async () => {
  place.write(fleet('quant: {arms: {full: full, w4a16: small}, split: [50, 50], metric: ttft_p95}'));
  const absent = await place.berth('experiment', 'status');
  expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('gateway')]);
  const started = await place.berth('up', '--detach', '--json');
  expect(started.code, started.stderr).toBe(0);
  const { url } = (started.json() as { gateway: { url: string } }).gateway;
  const seen = new Map<string, Set<string | null>>();
  for (let i = 0; i < 60; i += 1) {
    const unit = `client-${i % 20}`;
    const headers = { 'x-berth-unit': unit };
    const reply = await postChat(url, { model: 'quant', stream: true }, { headers });
    await reply.text();
    const arms = seen.get(unit) ?? new Set();
    seen.set(unit, arms.add(reply.headers.get('x-berth-deployment')));
  }
  expect([...seen.values()].every((arms) => arms.size === 1)).toBe(true);
  // Counts are kept each second.
  const status = await statusWhen((one) => requestsOf(one) === 60);
  expect(status).toMatchObject({ experiment: 'quant', metric: 'ttft_p95', ratio: { state: 'ok' } });
  expect(status.arms.map(({ arm, deployment }) => [arm, deployment])).toEqual([
    ['full', 'full'],
    ['w4a16', 'small'],
  ]);
  expect(status.arms.reduce((sum, { units }) => sum + units, 0)).toBe(20);
  expect(status.arms.map(({ requests }) => requests)).toEqual(engines.map((one) => one.seen.length));
  expect(status.arms[1]?.verdict).toBe('not yet enough');
  const text = (await place.berth('experiment', 'status', 'quant')).stdout;
  expect(text).toContain('not yet enough');
  expect(text).toMatch(/Each arm needs requests worth \d+ before/);
  expect((await place.berth('experiment', 'status', 'quont')).stderr).toContain('There is: quant');
});

test('what an experiment has counted outlives its gateway, until it is told to begin anew', async () => {
  place.write(fleet('quant: {arms: {full: full, w4a16: small}, metric: error_rate}'));
  async function ask(count: number): Promise<void> {
    const started = await place.berth('up', '--detach', '--json');
    const { url } = (started.json() as { gateway: { url: string } }).gateway;
    for (let i = 0; i < count; i += 1) {
      const reply = await postChat(url, { model: 'quant' }, { headers: { 'x-berth-unit': `client-${i}` } });
      await reply.text();
    }
  }
  await ask(10);
  expect((await place.berth('down')).code).toBe(0);
  expect(requestsOf(await statusWhen(() => true))).toBe(10);
  await ask(12);
  const status = await statusWhen((one) => requestsOf(one) === 22);
  expect(status.arms.reduce((sum, { units }) => sum + units, 0)).toBe(12);
  expect((await place.berth('experiment', 'reset', 'quant')).stdout).toContain('quant begins anew');
  expect(requestsOf(await statusWhen(() => true))).toBe(0);
});

function requestsOf({ arms }: ExperimentStatus): number {
  return arms.reduce((sum, { requests }) => sum + requests, 0);
}

async function statusWhen(isSo: (status: ExperimentStatus) => boolean): Promise<ExperimentStatus> {
  let status: ExperimentStatus | undefined;
  await until('the counts are there', async () => {
    [status] = (await place.berth('experiment', 'status', '--json')).json() as ExperimentStatus[];
    return status !== undefined && isSo(status);
  });
  if (!status) throw new Error('There is no status.');
  return status;
}

test('faults of an experiment are told at their place', async () => {
  place.write(
    fleet(
      'full: {arms: {a: full, b: smal}}, short: {arms: {a: full, b: small}, split: [1]}, one: {arms: {a: full}}',
    ),
  );
  const { code, stderr } = await place.berth('validate');
  expect(code).toBe(2);
  for (const text of [
    'has the name of a route',
    'Did you mean "small"',
    'one weight for each arm',
    'two arms',
  ])
    expect(stderr).toContain(text);
});
