import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Report } from '../../../src/domain/run/report.ts';
import { startChild } from '../../../src/io/child.ts';
import { findLlamaServer } from '../../hosts/llama-server.ts';
import { freePorts, makePlace, until } from '../../support/berth.ts';
import { randomModel } from '../../support/embedded.ts';
import { recompute } from './recompute.ts';

const server = findLlamaServer();

test.skipIf(server === null)(
  'a real llama-server is measured with exact prompts and a cold cache, and counts the same tokens (needs llama-server)',
  async () => {
    const place = makePlace();
    const model = await randomModel();
    const [port] = await freePorts(1);
    const flags = ['--ctx-size', '512', '--parallel', '2', '--threads', '1', '--metrics'];
    const child = await startChild(
      [server ?? '', '--model', model.path, '--host', '127.0.0.1', '--port', String(port), ...flags],
      { onErrorLine: () => {} },
    );
    const url = `http://127.0.0.1:${port}`;
    try {
      await until(async () => (await fetch(`${url}/health`).catch(() => null))?.ok, 'llama-server');
      const load = [
        '--streams',
        '1,2',
        '--prompt-tokens',
        '48',
        '--output-tokens',
        '16',
        '--max-requests',
        '4',
      ];
      const done = await place.berth('bench', url, ...load, '--no-calibrate', '--json');
      expect([0, 5], done.stderr).toContain(done.code);
      const runs = join(place.folder, 'state/data/runs');
      const folder = join(runs, readdirSync(runs)[0] ?? '');
      const report = Report.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')));
      expect(report.server).toMatchObject({ tokenizer: '/tokenize (llama-server)', notes: [] });
      expect(report.server.engine).toMatchObject({
        kind: 'llama.cpp',
        model: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        argv: expect.arrayContaining(['--metrics']),
      });
      const records = readFileSync(join(folder, 'records.jsonl'), 'utf8');
      for (const stage of report.stages) {
        expect(stage.requests).toMatchObject({ ok: 4, failed: 0 });
        expect(stage.promptTokens).toMatchObject({ min: 48, max: 48, sources: ['usage'] });
        expect(stage.outputTokens).toMatchObject({ min: 16, max: 16, sources: ['usage'] });
        expect(stage.cachedTokens).toBe(0);
        expect(stage.server?.preemptions).toBeNull();
        expect(stage.server?.process?.rssMaxBytes).toBeGreaterThan(1e6);
        expect(stage.server?.running?.max).toBeGreaterThanOrEqual(0);
      }
      // The slots were handed over, so what the server counted is exact over both stages, not at the step between them.
      const sent = report.stages.map(({ index }) => recompute(records, index, null));
      const promptTokens = sent.reduce((sum, { promptSum }) => sum + promptSum, 0);
      const outputTokens = sent.reduce((sum, { outputSum }) => sum + outputSum, 0);
      expect(report.stages.at(-1)?.engine).toMatchObject({ promptTokens, outputTokens, agrees: true });
      const seen = report.stages.map(({ server }) => server);
      expect(seen.reduce((sum, one) => sum + (one?.promptTokens ?? 0), 0)).toBe(promptTokens);
      expect(seen.reduce((sum, one) => sum + (one?.outputTokens ?? 0), 0)).toBe(outputTokens);
    } finally {
      child.kill('SIGKILL');
      await child.exited;
      await place.close();
      model.remove();
    }
  },
  120_000,
);
