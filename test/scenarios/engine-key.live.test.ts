import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { findLlamaServer } from '../hosts/llama-server.ts';
import { freePorts, makePlace, until } from '../support/berth.ts';

const binary = findLlamaServer();

test.skipIf(binary === null)(
  `a real llama-server with a key of its own is ready, serves through the gateway and refuses everyone else${binary ? '' : ' (no llama-server: tools/live/llama-server.sh gets one)'}`,
  { timeout: 300_000 },
  async () => {
    const place = makePlace();
    onTestFinished(async () => {
      await place.berth('down');
      await place.close();
    });
    await makeModel(localFiles, {
      size: '1M',
      type: 'q8_0',
      seed: 1,
      path: join(place.folder, 'm.gguf'),
    });
    const [port = 0] = await freePorts(1);
    place.write(
      `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\nmodels: {m: {source: ./m.gguf}}\ndeployments:\n` +
        `  a: {model: m, port: ${port}, ownKey: true, engine: {kind: llama.cpp, binary: "${binary ?? ''}", context: 512, threads: 1}}\n` +
        `benchmarks:\n  short: {of: a, via: gateway, profile: {kind: synchronous}, requests: 3, data: {kind: synthetic, prompt: 16, output: 4}}\n`,
    );
    place.spawn('up');
    const up: FleetStatus = await until(async () => {
      const found: FleetStatus = (await place.berth('status', '--json')).json();
      return found.console.url && found.deployments[0]?.replicas[0]?.state === 'ready' ? found : null;
    }, 'the fleet to be up');
    const engine = `http://127.0.0.1:${port}`;
    async function complete(url: string): Promise<number> {
      const body = JSON.stringify({ model: 'a', prompt: 'one', max_tokens: 2 });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${url}/v1/completions`, { method: 'POST', headers, body })).status;
    }
    expect([await complete(engine), await complete(up.gateway.url ?? '')]).toEqual([401, 200]);
    expect((await fetch(`${engine}/metrics`)).status).toBe(401);
    // A benchmark through the gateway reads the engine's own figures with the engine's own key.
    const run = await place.berth('bench', 'short', '--json');
    // On a busy machine the client itself may be the limit, which is 5.
    expect([0, 5], run.stderr).toContain(run.code);
    expect(run.stdout).toMatch(/"kind": "llama\.cpp"/);
    expect(run.stdout).not.toContain('has no /metrics');
  },
);
