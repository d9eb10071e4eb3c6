import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import type { FakeUpstream } from '../gateway/fake-upstream.ts';
import { postChat, readMetric } from '../gateway/harness.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let upstream: FakeUpstream;

beforeEach(async () => {
  place = makePlace();
  upstream = await startFakeUpstream(wellBehaved);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await upstream.stop();
});

test('limits of the fleet file hold in the gateway, and what was spent outlives it', async () => {
  place.write(
    `version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
gateway:
  listen: ["127.0.0.1:0"]
  prices: {far: {input: 1, output: 1}}
  limits: {eachKey: {rpm: 100, budget: {month: {usd: 0.00001}}}, models: {far: {tpm: 100000}}}
console: {listen: "127.0.0.1:0"}
deployments:
  far:
    engine: {kind: openai, url: "${upstream.url}/v1", servedModel: far, slots: 4}
    limits: {rps: 50, kvTokens: 9000}
`,
  );
  async function up(): Promise<string> {
    const started = await place.berth('up', '--detach', '--json');
    expect(started.code, started.stderr).toBe(0);
    return (started.json() as { gateway: { url: string } }).gateway.url;
  }
  const url = await up();
  const served = await postChat(url, { model: 'far' });
  expect(served.status).toBe(200);
  expect(served.headers.get('x-ratelimit-remaining-requests')).toBe('99');
  expect(served.headers.get('x-ratelimit-limit-tokens')).toBe('100000');
  await served.text();
  expect(await readMetric(url, 'berth_gateway_limit', 'kind="rps"')).toBe(50);
  expect(await readMetric(url, 'berth_gateway_limit', 'kind="kv_tokens"')).toBe(8100);
  expect((await postChat(url, { model: 'far' })).status).toBe(429);
  expect((await place.berth('down')).code).toBe(0);
  const state = join(place.folder, 'state/state');
  expect(readdirSync(state).some((folder) => existsSync(join(state, folder, 'usage.sqlite')))).toBe(true);
  expect((await postChat(await up(), { model: 'far' })).status).toBe(429);
});
