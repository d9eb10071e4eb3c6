import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(`version: 1
fleet: lab
id: k3x9
models:
  m: {source: /srv/models/mistral.Q5_K_M.gguf}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HF_TOKEN}"}
deployments:
  mistral: {model: m, replicas: 2, engine: {kind: llama.cpp, slots: 2, context: 4096}}
  vllm: {model: h, gpus: 2, engine: {kind: vllm}}
`);
});

afterEach(() => place.close());

test('berth render prints manifests of the whole fleet, the same each time', async () => {
  const { code, stdout, stderr } = await place.berth(
    'render',
    '--format',
    'kubernetes',
    '--namespace',
    'llm',
  );
  expect(code).toBe(0);
  const objects = parseAllDocuments(stdout).map((one) => one.toJS() as KubeObject);
  const both = ['Service', 'Deployment'];
  expect(objects.map(({ kind }) => kind)).toEqual([...both, ...both, ...both]);
  // Each replica is a Deployment of its own, with the mark that `apply` would give it.
  expect(objects.map(({ metadata }) => metadata.name)).toEqual([
    'mistral',
    'mistral',
    'mistral-1',
    'mistral-1',
    'vllm',
    'vllm',
  ]);
  expect(JSON.parse(objects[3]?.metadata.annotations?.['berth.dev/mark'] ?? '')).toMatchObject({
    fleet: 'lab',
    fleetId: 'k3x9',
    deployment: 'mistral',
    replica: 1,
    port: 18401,
    logFile: '',
  });
  expect(stderr).toContain(
    'vllm needs a Secret: printf \'%s\\n\' "hub=${HF_TOKEN:?}" | kubectl create secret generic vllm-secrets -n llm --from-env-file=/dev/stdin; kubectl label secret vllm-secrets -n llm app.kubernetes.io/name=vllm',
  );
  const again = await place.berth('render', '--format', 'kubernetes', '--namespace', 'llm');
  expect(again.stdout).toBe(stdout);
});

test('berth render --format kustomize --out writes a base whose resources are its files', async () => {
  const ran = await place.berth('render', 'mistral', '--format', 'kustomize', '--out', 'deploy', '--json');
  const { written } = ran.json() as { written: string[] };
  const base = join(place.folder, 'deploy/base');
  expect(written).toEqual([
    join(base, 'kustomization.yaml'),
    join(base, 'service-mistral.yaml'),
    join(base, 'deployment-mistral.yaml'),
    join(base, 'service-mistral-1.yaml'),
    join(base, 'deployment-mistral-1.yaml'),
    join(place.folder, 'deploy/overlays/all/kustomization.yaml'),
  ]);
  expect(parse(readFileSync(join(base, 'kustomization.yaml'), 'utf8'))).toMatchObject({
    resources: [
      'service-mistral.yaml',
      'deployment-mistral.yaml',
      'service-mistral-1.yaml',
      'deployment-mistral-1.yaml',
    ],
  });
});

test('berth render --format kserve writes services with their runtimes, and refuses what KServe cannot take', async () => {
  const ran = await place.berth('render', 'vllm', '--format', 'kserve', '--namespace', 'llm');
  expect(ran.code, ran.stderr).toBe(0);
  const objects = parseAllDocuments(ran.stdout).map(
    (one) => one.toJS() as { kind: string; metadata: object },
  );
  expect(objects.map(({ kind }) => kind)).toEqual(['ServingRuntime', 'InferenceService', 'ConfigMap']);
  expect(objects[1]?.metadata).toMatchObject({ name: 'vllm', namespace: 'llm' });
  const refused = await place.berth('render', 'mistral', '--format', 'kserve');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    'KServe takes no model from the disk of a node (/srv/models/mistral.Q5_K_M.gguf)',
  );
});

function sharing(gpus: number): string {
  return `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}}
models: {h: {source: "hf://a/b"}}
defaults: {host: k, model: h, target: {kind: kserve, runtime: {create: shared}, dashboard: {}}}
deployments:
  a: {gpus: 1, engine: {kind: vllm}}
  b: {gpus: ${gpus}, replicas: 2, engine: {kind: vllm}}
`;
}

test('a runtime that several share is written once, and one that each would make otherwise is refused', async () => {
  place.write(sharing(2));
  const ran = await place.berth('render', '--format', 'kserve');
  expect(ran.code, ran.stderr).toBe(0);
  const objects = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(names.filter((one) => one.startsWith('ServingRuntime'))).toEqual(['ServingRuntime shared']);
  expect(new Set(names).size).toBe(names.length);
  place.write(sharing(0));
  const refused = await place.berth('render', '--format', 'kserve');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('The runtime shared would be another one for a and for b.');
});

test('an engine without an image cannot be written for a cluster, and a name that is unknown is told', async () => {
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: /m.gguf}}\ndeployments: {toy: {model: m, engine: {kind: embedded}}}\n',
  );
  const refused = await place.berth('render', '--format', 'kubernetes');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('toy cannot be written as kubernetes: its engine has no image of its own');
  const unknown = await place.berth('render', 'tyo', '--format', 'kubernetes');
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain('tyo');
});

test('a namespace that no cluster has is refused, as it is in the file', async () => {
  for (const command of [['render', '--format', 'kubernetes'], ['serve']]) {
    const { code, stderr } = await place.berth(...command, '--namespace', 'My_Team');
    expect([code, stderr]).toEqual([2, expect.stringContaining('lower-case letters, digits and dashes')]);
  }
});

test('what an earlier render wrote and this one does not is taken away, but nothing of anybody else', async () => {
  const folder = join(place.folder, 'deploy');
  const two = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  expect((await place.berth('render', '--format', 'kustomize', '--out', 'deploy')).code).toBe(0);
  place.write('kind: Theirs\n', 'deploy/base/theirs.yaml');
  // A part of the fleet leaves the rest of it there, and so does another format.
  expect((await place.berth('render', 'vllm', '--format', 'kustomize', '--out', 'deploy')).code).toBe(0);
  expect((await place.berth('render', 'vllm', '--format', 'compose', '--out', 'deploy')).code).toBe(0);
  expect(readdirSync(join(folder, 'base'))).toContain('service-mistral.yaml');

  place.write(two.replace(/ {2}vllm: .*\n/, ''));
  const ran = await place.berth('render', '--format', 'kustomize', '--out', 'deploy', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const { removed, left } = ran.json() as { removed: string[]; left: string[] };
  expect(removed).toEqual(
    ['deployment-vllm.yaml', 'service-vllm.yaml'].map((name) => join(folder, 'base', name)),
  );
  expect(left).toEqual([]);
  expect(readdirSync(join(folder, 'base'))).toEqual(
    expect.arrayContaining(['service-mistral.yaml', 'theirs.yaml']),
  );
  expect(readdirSync(folder)).toContain('compose.yaml');
});

test('a file that is no longer written and was changed by somebody stays, and is told', async () => {
  const text = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  expect((await place.berth('render', '--format', 'kubernetes', '--out', 'deploy')).code).toBe(0);
  place.write('kind: Mine\n', 'deploy/vllm.yaml');
  place.write(text.replace(/ {2}vllm: .*\n/, ''));
  const ran = await place.berth('render', '--format', 'kubernetes', '--out', 'deploy');
  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain('vllm.yaml is no longer written, and stays: somebody has changed it.');
  expect(readFileSync(join(place.folder, 'deploy/vllm.yaml'), 'utf8')).toBe('kind: Mine\n');
  // What it once was is no longer berth's.
  const again = await place.berth('render', '--format', 'kubernetes', '--out', 'deploy');
  expect(again.stderr).not.toContain('vllm.yaml');
});

test('a file that no render wrote is not written over, and nothing else is written either', async () => {
  const own = 'services: {web: {image: nginx}}\n';
  place.write(own, 'compose.yaml');
  const refused = await place.berth('render', '--format', 'compose', '--out', '.');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining(
      `No render wrote ${join(place.folder, 'compose.yaml')}, which would be written over.`,
    ),
  ]);
  expect(readFileSync(join(place.folder, 'compose.yaml'), 'utf8')).toBe(own);
  expect(readdirSync(place.folder)).not.toContain('.berth-rendered');
  // The fleet file itself is such a file.
  const text = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  place.write(text.replaceAll('vllm:', 'berth:'));
  const named = await place.berth('render', '--format', 'kubernetes', '--out', '.');
  expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('No render wrote')]);
});

test('a rendered file that somebody has changed is written anew, which is told', async () => {
  const words = ['render', '--format', 'compose', '--out', 'deploy'];
  expect((await place.berth(...words)).code).toBe(0);
  const first = readFileSync(join(place.folder, 'deploy/compose.yaml'), 'utf8');
  expect((await place.berth(...words)).stderr).not.toContain('changed');
  place.write(`${first}# mine\n`, 'deploy/compose.yaml');
  const again = await place.berth(...words);
  expect(again.stderr).toContain('compose.yaml had been changed by somebody, and is written anew.');
  expect(readFileSync(join(place.folder, 'deploy/compose.yaml'), 'utf8')).toBe(first);
});

test('a llama-server that routes has the image and the GPUs of its accelerator', async () => {
  const images: string[] = [];
  for (const more of ['', 'accelerator: vulkan, ', 'build: b6000, ']) {
    place.write(`version: 1
fleet: lab
deployments:
  a: {gpus: 1, target: {kind: docker}, engine: {kind: llama-router, ${more}modelsDir: /srv/models}}
`);
    const { code, stdout, stderr } = await place.berth('render', '--format', 'compose');
    expect(code, stderr).toBe(0);
    images.push(/image: \S+:(\S+)/.exec(stdout)?.[1] ?? '');
    expect(stdout.includes('driver: nvidia')).toBe(!more.includes('vulkan'));
  }
  expect(images).toEqual(['server-cuda', 'server-vulkan', 'server-cuda-b6000']);
});

test('who holds its model in memory may lock it as a unit and as a container, and a pod is told of', async () => {
  function fleet(engine: string, head = ''): string {
    return `version: 1\nfleet: lab\n${head}models: {m: {source: /srv/m.gguf}}\ndeployments:\n  a: {${engine.startsWith('llama.cpp') ? 'model: m, ' : ''}engine: {kind: ${engine}}}\n`;
  }
  const said = [
    ['compose', 'memlock:\n        soft: -1\n        hard: -1\n'],
    ['quadlet', '--ulimit=memlock=-1:-1'],
    ['systemd', 'LimitMEMLOCK=infinity\n'],
  ] as const;
  for (const [engine, locks] of [
    ['llama.cpp, loadMode: mmap+mlock', true],
    ['llama-router, modelsDir: /srv/models, args: ["--mlock"]', true],
    ['llama.cpp, loadMode: mmap', false],
  ] as const) {
    place.write(fleet(engine));
    for (const [format, text] of said) {
      const { code, stdout, stderr } = await place.berth('render', '--format', format);
      expect(code, stderr).toBe(0);
      expect([engine, format, stdout.includes(text)]).toEqual([engine, format, locks]);
    }
  }
  place.write(
    fleet('llama.cpp, loadMode: mlock', 'hosts: {k: {kubernetes: {context: k}}}\n').replace(
      'model: m',
      'host: k, model: m',
    ),
  );
  expect((await place.berth('validate')).stdout).toContain(
    'a pod may lock what its node lets containers lock',
  );
});

test('a service of KServe takes the newer name of its mode as well, and says both as every version of it knows them', async () => {
  function kserve(mode: string): string {
    return `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k, namespace: llm}}}
models: {m: {source: "hf://a/b"}}
deployments: {chat: {host: k, model: m, engine: {kind: vllm}, target: {kind: kserve, mode: ${mode}}}}`;
  }
  async function written(mode: string): Promise<string> {
    place.write(kserve(mode));
    const { code, stdout, stderr } = await place.berth('render', '--format', 'kserve');
    expect(code, stderr).toBe(0);
    return stdout;
  }
  expect(await written('Standard')).toContain('serving.kserve.io/deploymentMode: RawDeployment');
  expect(await written('Knative')).toContain('serving.kserve.io/deploymentMode: Serverless');
  const told = await place.berth('validate');
  expect([told.code, told.stdout]).toEqual([0, expect.not.stringContaining('cannot run chat')]);
});
