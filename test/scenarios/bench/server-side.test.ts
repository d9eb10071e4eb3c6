import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Report } from '../../../src/domain/run/report.ts';
import { ServerSample } from '../../../src/domain/run/server-sample.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { goodAnswer, startScriptedEngine } from '../../support/scripted-engine.ts';
import type { ScriptedEngine, Script } from '../../support/scripted-engine.ts';

const recorded = resolve(import.meta.dirname, '../../recorded');
let place: Place;
let engine: ScriptedEngine;
beforeEach(() => (place = makePlace()));
afterEach(async () => {
  await engine.close();
  await place.close();
});

async function bench(
  script: Script,
  ...args: string[]
): Promise<{ report: Report; samples: ServerSample[] }> {
  engine = await startScriptedEngine(script);
  const quick = ['--prompt-tokens', '10', '--output-tokens', '4', '--no-calibrate', '--warmup', '2'];
  return measured(await place.berth('bench', engine.url, ...quick, '--json', ...args));
}

function measured(ran: Awaited<ReturnType<Place['berth']>>): { report: Report; samples: ServerSample[] } {
  expect([0, 5], ran.stderr).toContain(ran.code);
  const [run] = (ran.json() as { runs: { folder: string; report: unknown }[] }).runs;
  const lines = readFileSync(join(run?.folder ?? '', 'server.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return {
    report: Report.parse(run?.report),
    samples: lines.map((line) => ServerSample.parse(JSON.parse(line))),
  };
}

/** vLLM's names, its figures counted by the script itself. */
function vllm(): { script: Script; served: () => number } {
  let served = 0;
  function metrics(): string {
    return [
      'vllm:num_requests_running{engine="0",model_name="m"} 2.0',
      'vllm:num_requests_waiting{engine="0",model_name="m"} 1.0',
      'vllm:num_requests_waiting_by_reason{engine="0",reason="deferred"} 9.0',
      'vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25',
      'vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75',
      `vllm:num_preemptions_total{engine="0"} ${3 * served}`,
      `vllm:prefix_cache_queries_total{engine="0"} ${12 * served}`,
      `vllm:prefix_cache_hits_total{engine="0"} ${3 * served}`,
      `vllm:prompt_tokens_total{engine="0"} ${12 * served}`,
      `vllm:generation_tokens_total{engine="0"} ${4 * served}`,
      `vllm:request_success_total{engine="0",finished_reason="length"} ${served}`,
      'vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="500"} 1.0',
      '',
    ].join('\n');
  }
  const models = { data: [{ id: 'm', root: '/models/m', max_model_len: 8192 }] };
  const pages = {
    '/metrics': metrics,
    '/version': '{"version":"0.11.0"}',
    '/v1/models': JSON.stringify(models),
  };
  function answer(...given: Parameters<typeof goodAnswer>): void {
    served += 1;
    goodAnswer(...given);
  }
  return { script: { pages, answer }, served: () => served };
}

test("a vLLM's own figures stand in each stage: totals by how far they moved, gauges as they were", async () => {
  const { script } = vllm();
  const { report, samples } = await bench(script, '--streams', '1,2', '--max-requests', '6');
  // The warm-up is part of what the server did; the stages follow each other without a pause, and all looks together have
  // seen all requests once.
  const all = report.stages.reduce((sum, { requests }) => sum + requests.warmup + requests.measured, 0);
  function seen(name: 'promptTokens' | 'outputTokens' | 'preemptions'): number {
    return report.stages.reduce((sum, { server }) => sum + (server?.[name] ?? 0), 0);
  }
  expect(seen('promptTokens')).toBe(12 * all);
  expect(seen('outputTokens')).toBe(4 * all);
  expect(seen('preemptions')).toBe(3 * all);
  for (const stage of report.stages) {
    expect(stage.server).toMatchObject({
      prefixHitShare: 0.25,
      cachedTokens: null,
      running: { mean: 2 },
      waiting: { mean: 1, max: 1 },
      kvUse: { mean: 0.5 },
      restarted: false,
    });
  }
  expect(samples.map(({ at }) => at)).toEqual(samples.map(({ at }) => at).toSorted((a, b) => a - b));
  // It is this very test that listens, so its own processor time and memory are those of the engine.
  expect(report.stages[0]?.server?.process?.rssMaxBytes).toBeGreaterThan(1e6);
  expect(report.server.engine).toMatchObject({
    kind: 'vllm',
    version: '0.11.0',
    context: 8192,
    settings: { num_gpu_blocks: '500', block_size: '16' },
  });
  expect(report.server.engine?.hardware?.memory.totalBytes).toBeGreaterThan(0);
});

test('a llama-server tells its build and flags, and its model file is named by its hash', async () => {
  const file = join(place.folder, 'tiny.gguf');
  writeFileSync(file, 'not really a model');
  const props = readFileSync(join(recorded, 'llama-server/props.txt'), 'utf8');
  const pages = {
    '/props': props.replace('/models/tiny.gguf', file),
    '/metrics': readFileSync(join(recorded, 'llama-server/metrics-busy.txt'), 'utf8'),
  };
  const { report, samples } = await bench({ pages }, '--max-requests', '3');
  expect(report.server.engine).toMatchObject({
    kind: 'llama.cpp',
    version: 'b1-de3ff81',
    slots: 2,
    context: 1024,
    model: {
      path: file,
      bytes: 18,
      sha256: createHash('sha256').update('not really a model').digest('hex'),
    },
  });
  expect(report.server.engine?.settings).toMatchObject({ model_ftype: 'Q8_0', top_k: '40' });
  expect(samples[0]?.engine).toMatchObject({ running: 2, waiting: 1, outputTokens: 132, kvUse: null });
});

test('what a server does not tell is unknown and never 0, and the report says so', async () => {
  const { report } = await bench({}, '--max-requests', '3');
  const [stage] = report.stages;
  expect(stage?.server).toMatchObject({
    running: null,
    waiting: null,
    kvUse: null,
    preemptions: null,
    outputTokens: null,
    prefixHitShare: null,
    joulesPerOutputToken: null,
    gpus: [],
  });
  expect(report.server.engine?.notes.join(' ')).toContain('has no /metrics');
});

test('the page of a report draws what the server told over the time of the run, and names what it is', async () => {
  await bench(vllm().script, '--max-seconds', '3');
  const { stdout: page } = await place.berth('report', 'last', '--format', 'html');
  const shown = page.replace(/<script type="application\/json"[\s\S]*?<\/script>/, '');
  expect(shown).toContain('<h2>On the server</h2>');
  expect(shown).toMatch(/Requests in the engine, requests[\s\S]*<polyline/);
  expect(shown).not.toContain('Power of the GPUs');
  expect(shown).toContain('num_gpu_blocks=500');
  const { stdout: text } = await place.berth('report', 'last');
  expect(text).toContain('on the server: 2 running, 1 waiting (at most 1), KV cache 50 % full at most');
  expect(text).toContain('Engine: vllm 0.11.0, context 8192.');
});

test("a local GPU's use, memory and energy are in the stage, as its driver's tool tells them", async () => {
  const tools = join(place.folder, 'tools');
  mkdirSync(tools);
  writeFileSync(
    join(tools, 'nvidia-smi'),
    '#!/bin/sh\ncase "$*" in *power.draw,*|*utilization.gpu,memory.used,power.draw*) echo "0, GPU-77, Example GPU, 90, 2048, 100.00";; esac\n',
  );
  chmodSync(join(tools, 'nvidia-smi'), 0o755);
  place.env['PATH'] = `${tools}:${place.env['PATH']}`;
  const { report, samples } = await bench(vllm().script, '--max-seconds', '3');
  const gpu = report.stages[0]?.server?.gpus[0];
  expect(gpu).toMatchObject({
    gpu: 'GPU-77',
    utilization: { mean: 0.9 },
    memoryMaxBytes: 2048 * 1024 * 1024,
    watts: { max: 100 },
    energy: { source: 'estimate' },
  });
  const end = (samples[0]?.at ?? 0) + (report.stages[0]?.server?.seconds ?? 0) * 1e6;
  const seen = samples.filter(({ at, gpus }) => at <= end + 1 && gpus.length > 0);
  const seconds = ((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)) / 1e6;
  expect(gpu?.energy?.joules).toBeCloseTo(100 * seconds, 6);
});

test('a run is repeated from its own report: the same load, the same prompts, byte for byte', async () => {
  const first = await bench(vllm().script, '--streams', '1', '--max-requests', '4', '--seed', '5');
  const sent = engine.bodies.length;
  const again = measured(await place.berth('bench', '--again', 'last', '--json'));
  expect(again.report.spec).toEqual(first.report.spec);
  expect(engine.bodies.slice(sent).toSorted()).toEqual(engine.bodies.slice(0, sent).toSorted());
  expect(again.report.id).not.toBe(first.report.id);
  const other = await place.berth('bench', '--again', 'last', '--max-seconds', '3');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('leave out --max-seconds');
  // Both have one name, and what is named by it is the newer one.
  const named = await place.berth('report', again.report.spec.name, '--json');
  expect((named.json() as { id: string }).id).toBe(again.report.id);
});
