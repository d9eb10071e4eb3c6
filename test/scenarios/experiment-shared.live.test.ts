import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ExperimentStatus } from '../../src/domain/experiment.ts';
import { engine, postChat, until } from '../gateway/harness.ts';
import { wellBehaved } from '../gateway/fake-upstream.ts';
import { redisServer, store } from '../gateway/redis.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

describe.skipIf(!redisServer.there)(`experiments of several gateways (${redisServer.name})`, () => {
  test('are counted together, wherever the status is asked for, and by each alone while the store is away', async () => {
    const { urlFile, redis } = await store();
    const engines = [await engine(wellBehaved), await engine(wellBehaved)];
    const id = randomBytes(8).toString('hex');
    const fleet = `version: 1
fleet: lab-${id}
id: "${id}"
gateway: {listen: ["127.0.0.1:0"], limits: {shared: "${readFileSync(urlFile, 'utf8').trim()}"}}
console: {listen: "127.0.0.1:0"}
deployments:
  full: {engine: {kind: openai, url: "${engines[0]?.url}/v1", servedModel: m}}
  small: {engine: {kind: openai, url: "${engines[1]?.url}/v1", servedModel: m}}
experiments: {quant: {arms: {full: full, w4a16: small}, metric: error_rate}}
`;
    const places = [0, 1].map(() => placeOf(fleet));
    for (const [i, place] of places.entries()) {
      const started = await place.berth('up', '--detach', '--json');
      expect(started.code, started.stderr).toBe(0);
      const { url } = (started.json() as { gateway: { url: string } }).gateway;
      for (let client = 0; client < 6; client += 1) {
        const headers = { 'x-berth-unit': `client-${i}-${client}` };
        expect((await postChat(url, { model: 'quant' }, { headers })).status).toBe(200);
      }
    }
    for (const place of places)
      await until('both have told what they counted', async () => (await counted(place)).requests === 12);
    const [one] = places as [Place, Place];
    expect((await one.berth('experiment', 'reset', 'quant')).code).toBe(0);
    for (const place of places) expect((await counted(place)).requests).toBe(0);
    redis.kill('SIGKILL');
    const alone = await counted(one);
    expect(alone.requests).toBe(6);
    expect(alone.stderr).toContain('counts of this machine alone');
  });
});

/** Gone when the test ends, with what was started there. */
function placeOf(fleet: string): Place {
  const place = makePlace();
  place.write(fleet);
  onTestFinished(async () => {
    await place.berth('down');
    await place.close();
  });
  return place;
}

async function counted(place: Place): Promise<{ requests: number; stderr: string }> {
  const { stdout, stderr } = await place.berth('experiment', 'status', '--json');
  const [status] = JSON.parse(stdout) as ExperimentStatus[];
  return { requests: status?.arms.reduce((sum, one) => sum + one.requests, 0) ?? -1, stderr };
}
