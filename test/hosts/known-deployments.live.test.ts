import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, ownPorts } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { importLlama, llamaImage, llamaTree, missingFor, startBox } from './container-box.ts';
import { llamaImage as clusterImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import { findLlamaServer } from './llama-server.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 600_000 });

const examples = resolve(import.meta.dirname, '../../examples');

async function smallModel(folder: string): Promise<string> {
  const path = join(folder, 'm.gguf');
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path });
  chmodSync(path, 0o644);
  chmodSync(folder, 0o755);
  return path;
}

/** Applies an example under an overlay, asks its engine, runs its benchmark, and takes it away. Gives the streams that were measured. */
async function followed(place: Place, example: string): Promise<number[]> {
  const files = ['--file', join(examples, example), '--file', 'overlay.yaml'];
  async function run(...args: string[]): Promise<Ran> {
    const ran = await place.berth(...args, ...files);
    expect([args[0], ran.code, ran.stdout + ran.stderr]).toEqual([args[0], 0, expect.any(String)]);
    return ran;
  }
  onTestFinished(async () => {
    await place.berth('down', ...files);
    await place.close();
  });
  await run('validate');
  await run('apply', '--yes');
  expect((await run('plan')).stdout).toContain('1 unchanged');
  const status: FleetStatus = (await run('status', '--json')).json();
  expect(status.deployments.map(({ name, replicas }) => [name, replicas[0]?.state])).toEqual([
    ['openorca', 'ready'],
  ]);
  const reply = await fetch(`${status.deployments[0]?.replicas[0]?.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'openorca', prompt: 'one two', max_tokens: 4 }),
  });
  expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('"completion_tokens":4')]);
  const bench = await place.berth('bench', 'levels', '--json', ...files);
  // On a busy machine the client itself may be the limit; it says so, and the figures are told all the same.
  expect([0, 5]).toContain(bench.code);
  const { runs } = bench.json() as {
    runs: { report: { stages: { strategy: { streams: number }; requests: { ok: number } }[] } }[];
  };
  const stages = runs[0]?.report.stages ?? [];
  for (const { requests } of stages) expect(requests.ok).toBeGreaterThan(0);
  await run('down');
  return stages.map(({ strategy }) => strategy.streams);
}

const noDocker = missingFor('docker');

test.skipIf(noDocker !== null)(
  `the OpenOrca example runs in Docker with a small model, from the same file with one overlay${noDocker ? ` (${noDocker})` : ''}`,
  async () => {
    const box = await startBox('docker');
    onTestFinished(() => box.stop());
    const { entrypoint, backend } = await importLlama(box);
    const place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
    const model = await smallModel(place.folder);
    place.write(
      `version: 1
fleet: openorca
${ownPorts().replace('local:', 'box:')}
models: {openorca: {source: "${model}"}}
deployments:
  openorca:
    port: null
    target: {image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(entrypoint)}}
    engine: {startTimeout: 60s, env: {GGML_BACKEND_PATH: ${backend}}}
`,
      'overlay.yaml',
    );
    expect(await followed(place, 'openorca/small.yaml')).toEqual([1, 2]);
  },
);

const noCluster = missingForCluster();

test.skipIf(noCluster !== null)(
  `the OpenOrca example runs in a cluster with a small model, from the same file with one overlay${noCluster ? ` (${noCluster})` : ''}`,
  async () => {
    const box = await startCluster();
    onTestFinished(() => box.stop());
    const place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    const model = await smallModel(place.folder);
    place.write(
      `version: 1
fleet: openorca
hosts: {k3s: {kubernetes: {context: box, namespace: llamacpp, createNamespace: true}}}
models: {openorca: {source: "${model}", at: null}}
deployments:
  openorca:
    target: {image: "${clusterImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}
    resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 1, memory: 1Gi}}
    engine: {context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}}
benchmarks: {levels: {seconds: 4, data: {prompt: 16, output: 16}}}
`,
      'overlay.yaml',
    );
    expect(await followed(place, 'openorca/mended.yaml')).toEqual([1, 2]);
  },
);

const llama = findLlamaServer();
const lacks = missingForSystemd() || (llama === null ? 'llama-server' : '');

test.skipIf(lacks !== '')(
  `the units of the Kimi-VL example run under systemd with a small model, from the same file with one overlay${lacks ? ` (${lacks} is missing)` : ''}`,
  () => {
    const cache = dirname(dirname(llama ?? ''));
    const box = startSystemdBox([cache]);
    onTestFinished(() => box.stop());
    const { folder, enter, berth } = box;
    copyFileSync(join(examples, 'quickstart/model/berth-toy.Q8_0.gguf'), join(folder, 'toy.gguf'));
    chmodSync(join(folder, 'toy.gguf'), 0o644);
    chmodSync(folder, 0o755);
    const reads = `unit: {Service: {BindReadOnlyPaths: ${cache}}}`;
    writeFileSync(
      join(folder, 'overlay.yaml'),
      `version: 1
fleet: vision
models: {kimi: {source: ${folder}/toy.gguf}, mistral: {source: ${folder}/toy.gguf}}
deployments:
  kimi: {engine: {binary: ${llama}}, target: {unit: {name: llamacpp-kimi-vision, Service: {BindReadOnlyPaths: ${cache}}}}}
  mistral: {engine: {binary: ${llama}}, target: {${reads}}}
`,
    );
    const files = ['--file', join(examples, 'kimi-vl/small.yaml'), '--file', join(folder, 'overlay.yaml')];
    const applied = berth(['apply', '--yes', ...files]);
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(enter('systemctl', 'is-active', 'llamacpp-kimi-vision', 'berth-vision-mistral').stdout).toBe(
      'active\nactive\n',
    );
    const body = '{"model":"x","max_tokens":4,"messages":[{"role":"user","content":"What is berth?"}]}';
    for (const port of ['8080', '8081']) {
      const url = `http://127.0.0.1:${port}/v1/chat/completions`;
      expect(enter('curl', '-s', url, '-H', 'content-type: application/json', '-d', body).stdout).toContain(
        '"completion_tokens":4',
      );
    }
    expect(berth(['plan', ...files]).stdout).toContain('2 unchanged');
    expect(berth(['down', ...files]).code).toBe(0);
    expect(enter('sh', '-c', 'ls /etc/systemd/system | grep -e berth -e kimi; true').stdout).toBe('');
  },
);
