import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { healthyObservation } from '../../support/healthy-observation.ts';
import { berth, createFakes, freePort } from '../scan/fakes.ts';

test('the architecture of a fleet names machines, servers, ports, routes, commands and faults, in every form', async () => {
  using fakes = createFakes();
  const seen = healthyObservation();
  const [kimi] = seen.hosts[0]?.servers ?? [];
  if (!kimi) throw new Error('The healthy machine has lost its server.');
  kimi.model = '/srv/<b>|kimi.gguf';
  kimi.told.context = 1024;
  writeFileSync(join(fakes.dir, 'seen.json'), JSON.stringify(seen));
  const text = (await berth(['describe', '--from', 'seen.json'], fakes.dir)).out;
  expect(text).toMatch(/^# The fleet lab\n/);
  expect(text).toContain('| local (this one) | 32 cores, Example CPU | 128 GiB |');
  expect(text).toContain('/srv/<b>\\|kimi.gguf');
  for (const port of [
    '| local | 8082 | reserved |',
    '| local | 8484 | the gateway |',
    '| local | 18400 | kimi |',
  ])
    expect(text).toContain(port);
  expect(text).toContain('| mistral | mistral |');
  expect(text).toContain('berth restart kimi   # restart');
  expect(text).toContain('| context-reduced |');
  expect(text.match(/^## Managing/gm)).toHaveLength(3);
  const html = (await berth(['describe', '--from', 'seen.json', '--format', 'html'], fakes.dir)).out;
  expect(html).toContain('<td>/srv/&lt;b&gt;|kimi.gguf</td>');
  expect(html).not.toContain('<b>');
  const mermaid = (await berth(['describe', '--from', 'seen.json', '--format', 'mermaid'], fakes.dir)).out;
  expect(mermaid).toMatch(/^flowchart LR\n/);
  expect(mermaid).toContain('gateway -->|"kimi"| s0');
  expect((await berth(['describe', '--from', 'seen.json', '--format', 'pdf'], fakes.dir)).code).toBe(2);
});

test('without a fleet file what runs is described all the same, with the commands of whoever keeps it', async () => {
  using fakes = createFakes();
  const port = await freePort();
  const argv = [fakes.program('llama-server'), '-m', 'described.gguf', '--port', String(port)];
  const { pid } = await fakes.start(argv);
  const out = join(fakes.dir, 'state.md');
  const ran = await berth(['describe', '--out', out, '--timeout', '8s'], fakes.dir);
  expect([ran.code, ran.out]).toEqual([0, `${out} is written.\n`]);
  const text = readFileSync(out, 'utf8');
  expect(text).toContain('# What serves models here');
  expect(text).toContain(`| 127.0.0.1:${port} | answers |`);
  expect(text).toContain(`kill ${pid}   # stop`);
});
