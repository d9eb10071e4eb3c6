import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { unobserved } from '../../src/domain/observe-config.ts';
import { freePorts } from '../support/berth.ts';
import { chatEvent, usage, wellBehaved } from './fake-upstream.ts';
import { configFor, engine, front, postChat, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

vi.setConfig({ testTimeout: 300_000 });

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A gateway whose every series has been counted in. */
async function busyGateway(): Promise<RunningGateway> {
  const dead = await engine(wellBehaved);
  await dead.stop();
  const good = await engine(wellBehaved);
  const observe = { ...unobserved, genAi: true };
  const gateway = await front(
    configFor(
      [
        { url: dead.url, slots: 1 },
        { url: good.url, slots: 1 },
      ],
      { observe, limits: { queue: 1 } },
    ),
  );
  await Promise.all(
    Array.from({ length: 12 }, async () => (await postChat(gateway.url, { stream: true })).text()),
  );
  good.setScript((turn) => {
    turn.stream();
    turn.chunk(chatEvent('half'));
    turn.reset();
  });
  await (await postChat(gateway.url, { stream: true })).text();
  await postChat(gateway.url, { model: 'a "strange"\nname\\' });
  return gateway;
}

test.skipIf(!has('promtool'))('promtool finds nothing to say about /metrics', async () => {
  const gateway = await busyGateway();
  const input = await (await fetch(`${gateway.url}/metrics`)).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

test.skipIf(!has('prometheus'))(
  'a real Prometheus scrapes it, and answers for rates and quantiles',
  async () => {
    const gateway = await busyGateway();
    const folder = mkdtempSync(join(tmpdir(), 'berth-prometheus-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const [port = 0] = await freePorts(1);
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: berth, static_configs: [{targets: ["127.0.0.1:${gateway.port}"]}]}]\n`,
    );
    const child = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise<void>((done) => void child.once('close', () => done()));
    closers.push(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    async function query(text: string): Promise<number | null> {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`;
      const reply = await fetch(url).catch(() => null);
      if (!reply?.ok) return null;
      const { data } = (await reply.json()) as { data: { result: { value: [number, string] }[] } };
      const value = data.result[0]?.value[1];
      return value === undefined ? null : Number(value);
    }
    await until('it has scraped', async () => (await query('up{job="berth"}')) === 1);
    const sent = await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"');
    expect(await query('sum(berth_gateway_tokens_total{direction="output",source="engine"})')).toBe(sent);
    expect(sent % usage.completion_tokens).toBe(0);
    const quantile = await query(
      'histogram_quantile(0.5, sum by (le) (berth_gateway_request_duration_seconds_bucket{model="m"}))',
    );
    expect(quantile).toBeGreaterThan(0);
    expect(await query('sum(gen_ai_server_request_duration_seconds_count)')).toBeGreaterThan(0);
  },
);
