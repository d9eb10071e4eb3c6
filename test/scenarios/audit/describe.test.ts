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

test('what a cluster runs of the fleet is a server, one that is reached is told by its URL, and names alone tell nothing', async () => {
  using fakes = createFakes();
  const seen = healthyObservation();
  const [host] = seen.hosts;
  const [kimi, mistral, qwen] = host?.servers ?? [];
  const { fleet } = seen;
  if (!host || !kimi || !mistral || !qwen || !fleet)
    throw new Error('The healthy machine has lost its servers.');
  const [first, , third] = fleet.deployments;
  const [ofKimi, , ofQwen] = fleet.instances;
  if (!first || !third || !ofKimi || !ofQwen) throw new Error('The healthy fleet has lost a deployment.');
  // kimi runs in a cluster; a server of somebody else here says that it serves "kimi".
  first.host = 'cluster';
  ofKimi.object = 'deployment ai/kimi';
  ofKimi.listens = 'kimi.ai.svc:8080';
  kimi.mark = null;
  // mistral has ended, and another server bears its name.
  fleet.instances = fleet.instances.filter((one) => one.deployment !== 'mistral');
  mistral.mark = null;
  mistral.owner = { kind: 'pod', name: '0f3c9a52-1111-2222-3333-444455556666', user: 'root' };
  // qwen is only reached.
  fleet.instances = fleet.instances.filter((one) => one !== ofQwen);
  third.external = true;
  third.options = { kind: 'openai', url: 'http://localhost:8000' };
  qwen.mark = null;
  qwen.served = ['other'];
  qwen.owner = { kind: 'container', name: 'docker c0ffee', user: 'root' };
  writeFileSync(join(fakes.dir, 'seen.json'), JSON.stringify(seen));
  const text = (await berth(['describe', '--from', 'seen.json'], fakes.dir)).out;
  expect(text).toContain(
    '| kimi | cluster | llama.cpp | /srv/models/kimi.gguf | deployment ai/kimi, of the fleet lab | kimi.ai.svc:8080 | runs |',
  );
  expect(text).toContain('| kimi | local | llama.cpp b6000-abcdef |');
  expect(text).toMatch(/## Not running\n\n.*\n.*\n\| mistral \| does not run \|\n\n/);
  expect(text).toContain('| qwen | local | vllm 0.11.2 | Qwen/Qwen3-32B | docker c0ffee |');
  expect(text).toContain('docker stop c0ffee   # stop');
  expect(text).not.toContain('Managing mistral');
  const mermaid = (await berth(['describe', '--from', 'seen.json', '--format', 'mermaid'], fakes.dir)).out;
  expect(mermaid).toContain('["cluster"]');
  expect(mermaid.match(/gateway -->\|"(kimi|qwen)"\|/g)).toEqual([
    'gateway -->|"kimi"|',
    'gateway -->|"qwen"|',
  ]);
});

test('a pod that was seen on this machine is the one of the cluster, where what makes it has the mark of the fleet', async () => {
  using fakes = createFakes();
  const seen = healthyObservation();
  const [kimi] = seen.hosts[0]?.servers ?? [];
  const [cluster] = seen.clusters;
  if (!kimi || !cluster) throw new Error('The healthy machine has lost its server.');
  const uid = '0f3c9a52-1111-2222-3333-444455556666';
  kimi.mark = null;
  kimi.owner = { kind: 'pod', name: uid, user: 'root' };
  const labels = { app: 'marked' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } };
  cluster.objects.push(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'marked',
        namespace: 'ai',
        labels: { 'berth.dev/fleet': 'lab' },
        annotations: { 'berth.dev/mark': JSON.stringify({ deployment: 'kimi', replica: 0 }) },
      },
      spec: { template },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'marked-llama', namespace: 'ai', uid, labels },
      spec: { containers: [{ name: 'x', image: 'llama' }] },
    },
  );
  writeFileSync(join(fakes.dir, 'seen.json'), JSON.stringify(seen));
  const text = (await berth(['describe', '--from', 'seen.json'], fakes.dir)).out;
  expect(text.match(/^\| kimi \| local \|.*object of kimi, of the fleet lab/gm)).toHaveLength(1);
  expect(text).not.toContain('## Not running');
  expect(text).toContain('berth restart kimi   # restart');
});
