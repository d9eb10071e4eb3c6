import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillArgs } from '../../../src/domain/fill-args.ts';
import type { Hole } from '../../../src/domain/launch-spec.ts';
import { llamaCpp } from '../../../src/engines/llama-cpp.ts';
import { localExec } from '../../../src/io/exec.ts';
import { findLlamaServer } from '../../hosts/llama-server.ts';
import { berth, freePort, scanReport } from './fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-live-'));
const model = join(folder, 'random.gguf');
const program = findLlamaServer();
const reason = program === null ? ' (skipped: no llama-server)' : '';

beforeAll(async () => {
  await berth(['dev', 'make-model', '--params', '1M', '--out', model]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function argvOf(port: number, help: string, given: Record<string, unknown>): string[] {
  const options = llamaCpp.options.parse({ kind: 'llama.cpp', binary: program, ...given });
  const input = { deployment: 'toy', options, model, mmproj: null, gpus: 0, cores: 2, key: null, help };
  function fill(hole: Hole): string {
    if (hole.hole === 'file') return hole.path;
    return { model, mmproj: '', host: '127.0.0.1', port: String(port), secret: '', cache: '' }[hole.hole];
  }
  return [options.binary, ...fillArgs(llamaCpp.launch(input).args, fill)];
}

test.skipIf(program === null)(
  `the real llama-server takes every flag that berth writes, and is seen with them${reason}`,
  async () => {
    const shown = spawnSync(program ?? '', ['--help'], { encoding: 'utf8' });
    const port = await freePort();
    const argv = argvOf(port, shown.stdout + shown.stderr, {
      slots: 2,
      context: 256,
      batch: 128,
      ubatch: 64,
      threadsBatch: 1,
      cacheRam: 64,
      flashAttention: 'auto',
      cacheTypeK: 'f16',
      cacheTypeV: 'f16',
      loadMode: 'mmap',
      kvOffload: true,
      kvUnified: false,
      swaFull: true,
      cacheReuse: 0,
      contextShift: false,
      threadsHttp: 2,
      devices: ['none'],
      splitMode: 'layer',
      tensorSplit: [1, 0],
      mainGpu: 0,
      fit: 'off',
      cpuMoe: true,
      cpuMoeLayers: 1,
      overrideTensor: 'exps=CPU',
      numa: 'distribute',
      mmprojOffload: false,
      imageMinTokens: 8,
      imageMaxTokens: 64,
      loraUnapplied: true,
      // The small model that drafts is the large one itself: every draft is taken.
      draftModel: model,
      draftGpuLayers: 0,
      draftDevices: ['none'],
      draftMax: 4,
      draftMin: 1,
      draftProbability: 0,
      speculative: ['draft-simple'],
      pooling: 'mean',
      jinja: true,
      chatTemplate: 'chatml',
      reasoningFormat: 'none',
      reasoningBudget: 0,
      warmup: false,
      args: ['--temp', '0'],
    });
    const server = await localExec.start(argv, { onErrorLine: () => {} });
    try {
      await expect.poll(() => healthOf(port), { timeout: 60_000, interval: 100 }).toBe(200);
      const report = await scanReport();
      const seen = report.servers.find((one) => one.endpoints.some((endpoint) => endpoint.port === port));
      expect(seen).toMatchObject({
        engine: 'llama.cpp',
        model,
        state: 'answers',
        served: ['toy'],
        options: {
          slots: 2,
          context: 256,
          batch: 128,
          gpuLayers: 0,
          cacheRam: 64,
          threads: 1,
          loadMode: 'mmap',
          draftMax: 4,
          chatTemplate: 'chatml',
          args: ['--temp', '0'],
        },
      });
      const asked = { method: 'POST', body: JSON.stringify({ prompt: 'a b c', n_predict: 16 }) };
      expect((await fetch(`http://127.0.0.1:${port}/completion`, asked)).status).toBe(200);
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(Number(/spec_decode_num_accepted_tokens_total (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0);
      expect(seen?.version).toBeTruthy();
      expect(seen?.modelId).toMatch(/^\d+:\d+$/);
    } finally {
      await localExec.kill(server.pid, 'SIGKILL');
    }
  },
);

test.skipIf(program === null)(
  `a flag that the real build does not know is refused by its own help page${reason}`,
  () => {
    const { stdout, stderr } = spawnSync(program ?? '', ['--help'], { encoding: 'utf8' });
    expect(() => argvOf(1, stdout + stderr, { args: ['--no-such-flag'] })).toThrow(
      'does not know --no-such-flag',
    );
  },
);

async function healthOf(port: number): Promise<number> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).status;
  } catch {
    return 0;
  }
}
