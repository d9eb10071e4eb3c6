import { cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { startTruthServer } from '../../src/bench/truth/truth-server.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { bench } from '../support/bench.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

const examples = join(import.meta.dirname, '../../examples');
let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['DOCKER_HOST'] = `unix://${place.folder}/nobody.sock`;
});

afterEach(() => place.close());

async function rulesOf(file: string, ...more: string[]): Promise<string[]> {
  const files = [join(examples, file), ...more].flatMap((path) => ['--file', path]);
  const ran = await place.berth('plan', '--json', ...files);
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  const { findings } = ran.json() as Plan;
  const foreseen = ['throttled-threads', 'prompt-cache-over-limit', 'gpu-layers-without-gpu', 'duplicate'];
  return findings.map(({ rule }) => rule).filter((rule) => foreseen.includes(rule));
}

test('the OpenOrca example says what its documents get wrong without a cluster, and mended it says nothing', async () => {
  async function said(file: string): Promise<string[]> {
    const ran = await place.berth('validate', '--json', '--file', join(examples, file));
    expect(ran.code, ran.stdout).toBe(0);
    return (ran.json() as { findings: { rule: string }[] }).findings.map(({ rule }) => rule);
  }
  expect(await said('openorca/berth.yaml')).toEqual([
    'throttled-threads',
    'prompt-cache-over-limit',
    'gpu-layers-without-gpu',
  ]);
  expect(await said('openorca/mended.yaml')).toEqual([]);
  expect(await said('openorca/docker.yaml')).toEqual([]);
  expect(await rulesOf('openorca/small.yaml')).toEqual([]);
  expect(await said('kimi-vl/berth.yaml')).toEqual([]);
  expect(await said('kimi-vl/twice.yaml')).toEqual(['duplicate']);
});

/** What stays of a report in Markdown when other figures are measured: its sentences' first words, its columns, its loads. */
function formOf(markdown: string): string[] {
  return markdown.split('\n').flatMap((line) => {
    if (/^\|(-| load )/.test(line)) return [line];
    return /^(### |Measured from |Latencies in ms|\| [^|]*\|)/.exec(line)?.[0] ?? [];
  });
}

test('the table of the OpenOrca example is one that "berth report" writes of its benchmark', async () => {
  const file = parse(readFileSync(join(examples, 'openorca/berth.yaml'), 'utf8')) as {
    benchmarks: { levels: { profile: { streams: number[] } } };
  };
  const streams = file.benchmarks.levels.profile.streams.join(',');
  const truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  onTestFinished(() => truth.close(0));
  await bench(place, [truth.url, '--streams', streams, '--max-requests', '4', '--output-tokens', '4']);
  const written = (await place.berth('report', 'last', '--format', 'markdown')).stdout;
  const readme = readFileSync(join(examples, 'openorca/README.md'), 'utf8');
  const measured = /^<!-- measured -->\n([^]*?)^<!-- end -->$/m.exec(readme)?.[1] ?? '';
  expect(formOf(measured)).toEqual(formOf(written));
  expect(formOf(written)).toHaveLength(file.benchmarks.levels.profile.streams.length + 5);
  expect(measured).toMatch(
    /^- 2 streams give [\d.]+ times the output tokens\/s of one: efficiency [\d.]+ %$/m,
  );
});

test('a cache of prompts that does not fit beside the model into the memory limit is foreseen', async () => {
  place.write(
    'version: 1\nfleet: openorca\ndeployments: {openorca: {resources: {limits: {memory: 8Gi}}, engine: {cacheRam: 8192}}}\n',
    'tight.yaml',
  );
  place.write(
    'version: 1\nfleet: openorca\nmodels: {openorca: {size: 100Gi}}\ndeployments: {openorca: {resources: {limits: {memory: 9Gi}}, engine: {cacheRam: 8192}}}\n',
    'fits.yaml',
  );
  // The model of a few megabytes does not fit beside 8 GiB into 8 GiB, and does into 9: where it can be looked at its stated size is nothing.
  expect(await rulesOf('openorca/small.yaml', join(place.folder, 'tight.yaml'))).toEqual([
    'prompt-cache-over-limit',
  ]);
  expect(await rulesOf('openorca/small.yaml', join(place.folder, 'fits.yaml'))).toEqual([]);
});

test('one model in two deployments of a machine is foreseen as a duplicate; replicas and models on demand are none', async () => {
  const one = '{model: m, engine: {kind: command, command: [sleep, "1"]}';
  place.write(
    `version: 1\nfleet: lab\nmodels: {m: {source: ./m.gguf}, n: {source: ./n.gguf}}\ndeployments:\n  a: ${one}, replicas: 2}\n  b: ${one}}\n  c: ${one}, load: on-demand}\n  d: {model: n, engine: {kind: command, command: [sleep, "1"]}}\n`,
  );
  const { findings } = (await place.berth('plan', '--json')).json() as Plan;
  expect(findings.filter(({ rule }) => rule === 'duplicate')).toEqual([
    expect.objectContaining({
      object: 'a',
      message: expect.stringContaining('a and b serve the same model'),
    }),
  ]);
});

test('a unit’s limits count as well', async () => {
  place.write(`version: 1
fleet: lab
models: {m: {source: ./m.gguf}}
deployments: {a: {model: m, resources: {limits: {cpu: 2, memory: 4Gi}}, target: {kind: systemd}, engine: {kind: llama.cpp, binary: /bin/true, threads: 6, cacheRam: 8000, accelerator: cpu, gpuLayers: all}}}
`);
  const { findings } = (await place.berth('plan', '--json')).json() as Plan;
  expect(findings.map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(['throttled-threads', 'prompt-cache-over-limit', 'gpu-layers-without-gpu']),
  );
});

test.skipIf(specsFolder === undefined)(
  'the Mistral Small example is what the definitions of KServe ask for',
  async () => {
    const folder = join(place.folder, 'mistral-small');
    cpSync(join(examples, 'mistral-small'), folder, { recursive: true });
    renameSync(join(folder, '.env.example'), join(folder, '.env'));
    const file = join(folder, 'berth.yaml');
    const ran = await place.berth('render', '--file', file, '--format', 'kserve', '--namespace', 'demo');
    const objects = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Namespace demo',
      'ServingRuntime mistral-24b-quantized',
      'InferenceService mistral-24b-quantized',
      'ConfigMap mistral-24b-quantized-mark',
      'ServiceAccount mistral-24b-storage',
      'ServingRuntime mistral-24b',
      'InferenceService mistral-24b',
      'ConfigMap mistral-24b-mark',
    ]);
    expect(objects.flatMap(kubeFaults)).toEqual([]);
    const claim = readFileSync(join(examples, 'mistral-small/claim.yaml'), 'utf8');
    expect(
      parseAllDocuments(claim)
        .map((one) => one.toJS() as KubeObject)
        .flatMap(kubeFaults),
    ).toEqual([]);
  },
);
