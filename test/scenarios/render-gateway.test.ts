import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findHelm } from '../support/find-helm.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

let place: Place;

const fleet = `version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models:
  m: {source: /srv/models/mistral.Q5_K_M.gguf}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HF_TOKEN}"}
gateway:
  keys: {ci: "\${env:CI_KEY}"}
  limits: {shared: "\${env:REDIS_URL}", drain: 20s}
deployments:
  mistral: {model: m, replicas: 2, port: 8081, engine: {kind: llama.cpp, slots: 2, context: 4096, args: ["--grammar", "{{ messages }}"]}}
  v-llm: {model: h, gpus: 2, engine: {kind: vllm}, target: {kind: kubernetes, cache: {size: 50Gi}, ingress: {host: llm.lab}}}
`;

beforeEach(() => {
  place = makePlace();
  place.write(fleet);
});

afterEach(() => place.close());

async function rendered(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const ran = await place.berth('render', '--gateway', 'registry.lab/berth:0.1.0', ...args);
  expect(ran.code, ran.stderr).toBe(0);
  return ran;
}

async function manifests(): Promise<KubeObject[]> {
  const { stdout } = await rendered('--format', 'kubernetes', '--namespace', 'llm');
  return parseAllDocuments(stdout).map((one) => one.toJS() as KubeObject);
}

function ofGateway(objects: readonly KubeObject[], kind: string): Record<string, unknown> {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === 'berth-gateway');
  return found as unknown as Record<string, unknown>;
}

test.skipIf(specsFolder === undefined)('a strict API server takes the gateway as it is written', async () => {
  expect((await manifests()).flatMap(kubeFaults)).toEqual([]);
});

test('the gateway is two pods without root, with no right but to see where pods answer', async () => {
  const objects = await manifests();
  expect(ofGateway(objects, 'Role')).toMatchObject({
    rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
  });
  expect(ofGateway(objects, 'PodDisruptionBudget')).toMatchObject({ spec: { maxUnavailable: 1 } });
  expect(ofGateway(objects, 'Deployment')).toMatchObject({
    spec: {
      replicas: 2,
      template: { spec: { securityContext: { runAsNonRoot: true }, terminationGracePeriodSeconds: 35 } },
    },
  });
});

test('the command that makes its Secret is printed, and secrets of models are not asked for', async () => {
  place.env['CI_KEY'] = 'sk-canary';
  const { stdout, stderr } = await rendered('--format', 'kubernetes', '--namespace', 'llm');
  expect(stderr).toContain(
    'The gateway needs a Secret: printf \'%s\\n\' "CI_KEY=${CI_KEY:?}" "REDIS_URL=${REDIS_URL:?}" | kubectl create secret generic berth-gateway-secrets -n llm --from-env-file=/dev/stdin;',
  );
  expect(stdout + stderr).not.toContain('sk-canary');
});

test('the file that the gateway reads there is a fleet file, and says nothing of tokens of models', async () => {
  const { data } = ofGateway(await manifests(), 'ConfigMap') as { data: Record<string, string> };
  const text = data['berth.yaml'] ?? '';
  expect(text).not.toContain('HF_TOKEN');
  for (const [name, value] of [
    ['CI_KEY', 'a'],
    ['REDIS_URL', 'redis://r:6379'],
  ])
    place.write(value ?? '', name);
  place.write(text.replaceAll('/run/secrets/berth', place.folder), 'inside.yaml');
  const ran = await place.berth('validate', '--file', 'inside.yaml');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
});

test.each([['no key', ['keys: {ci: "${env:CI_KEY}"}', 'keys: {}'], 'names no key']])(
  'a gateway elsewhere cannot have %s',
  async (_, [from = '', to = ''], reason) => {
    place.write(fleet.replace(from, to));
    const ran = await place.berth('render', '--gateway', 'x:1', '--format', 'kustomize');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(reason);
  },
);

test('the gateway is given all secrets as files of Secrets, never in an argument or a variable', async () => {
  place.write('of-a-file\n', 'k');
  place.write(
    fleet
      .replace('gpus: 2,', 'gpus: 2, ownKey: true,')
      .replace(
        'engine: {kind: vllm}',
        'engine: {kind: vllm, env: {A: b, TRACKING: {secret: "${env:TRACKING}"}}}',
      )
      .replace('gateway:', 'gateway:\n  host: k3s\n  image: b:1')
      .replace(
        'keys: {ci: "${env:CI_KEY}"}',
        'keys: {ci: "${env:CI_KEY}", app: "${file:./k}", ops: {secretRef: {name: ops, key: token}}}',
      ),
  );
  const { stdout, stderr } = await rendered('--format', 'kubernetes', '--namespace', 'llm');
  const objects = parseAllDocuments(stdout).map((one) => one.toJS() as KubeObject);
  const { template } = (ofGateway(objects, 'Deployment') as { spec: { template: { spec: PodSpec } } }).spec;
  const [container] = template.spec.containers;
  expect(container?.args.slice(-2)).toEqual(['--engine-keys', '/run/secrets/berth/engine-keys']);
  expect(container?.env).toEqual([{ name: 'HOME', value: '/var/lib/berth' }]);
  const own = ['CI_KEY', 'REDIS_URL', 'gateway.keys.app'].map((key) => ({ key, path: key }));
  expect(template.spec.volumes).toContainEqual({
    name: 'secrets',
    projected: {
      defaultMode: 0o440,
      sources: [
        {
          secret: {
            name: 'berth-gateway-secrets',
            items: [...own, { key: 'engine-key.v-llm', path: 'engine-keys/v-llm' }],
          },
        },
        { secret: { name: 'ops', items: [{ key: 'token', path: 'gateway.keys.ops' }] } },
      ],
    },
  });
  const { data } = ofGateway(objects, 'ConfigMap') as { data: Record<string, string> };
  expect(data['berth.yaml']).not.toContain('TRACKING');
  expect(data['berth.yaml']).toContain('ci: ${file:/run/secrets/berth/CI_KEY}');
  expect(data['berth.yaml']).toContain('ops: ${file:/run/secrets/berth/gateway.keys.ops}');
  expect(stderr).toMatch(/"gateway\.keys\.app=\$\(cat '[^']+\/k'\)"/);
  expect(stderr).toMatch(/"engine-key\.v-llm=\$\(cat '[^']+\/engine-keys\/v-llm'\)"/);
  expect(stderr).toContain('The gateway needs what the cluster must have: key token of Secret ops.');
});

interface PodSpec {
  containers: { args: string[]; env: object[] }[];
  volumes: object[];
}

test('a Secret of the cluster is one value, for a gateway that runs there', async () => {
  const ref = 'keys: {ci: {secretRef: {name: ops, key: token}}}';
  place.write(fleet.replace('keys: {ci: "${env:CI_KEY}"}', ref));
  const here = await place.berth('validate');
  expect([here.code, here.stdout + here.stderr]).toEqual([
    2,
    expect.stringContaining('the gateway runs on this machine'),
  ]);
  const there = fleet.replace('gateway:', 'gateway:\n  host: k3s\n  image: b:1');
  place.write(there.replace('keys: {ci: "${env:CI_KEY}"}', 'keys: {ci: {secretRef: {name: ops}}}'));
  const whole = await place.berth('validate');
  expect(whole.stdout + whole.stderr).toContain('The gateway wants one value of a Secret');
});

test('rights need a namespace, and a machine has no gateway of a cluster', async () => {
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: /m.gguf}}\ngateway: {keys: {ci: "${env:CI_KEY}"}}\ndeployments: {mistral: {model: m, engine: {kind: llama.cpp}}}\n',
  );
  const nowhere = await place.berth('render', '--gateway', 'x:1', '--format', 'kubernetes');
  expect(nowhere.stderr).toContain('it needs --namespace');
  const unit = await place.berth('render', 'mistral', '--gateway', 'x:1', '--format', 'compose');
  expect(unit.stderr).toContain('only formats of a cluster have one');
});

describe('a chart', () => {
  async function chart(): Promise<{ files: Map<string, string>; tree: KubeObject[] }> {
    const helm = await rendered('--format', 'helm', '--json');
    const kustomize = await rendered('--format', 'kustomize', '--json');
    const files = filesOf(helm.stdout);
    const tree = [...filesOf(kustomize.stdout)]
      .filter(([path]) => !path.endsWith('kustomization.yaml'))
      .map(([, text]) => parse(text) as KubeObject);
    return { files, tree };
  }

  test('comes to the same objects as the tree of kustomize', async () => {
    const { files, tree } = await chart();
    const values = parse(files.get('values.yaml') ?? '') as unknown;
    const objects = [...files]
      .filter(([path]) => path.startsWith('templates/'))
      .flatMap(([, text]) => documents(filled(text, values)));
    expect(objects.toSorted(byName)).toEqual(tree.map(inNamespace).toSorted(byName));
    expect((await rendered('--format', 'helm', '--json')).stdout).toBe(
      (await rendered('--format', 'helm', '--json')).stdout,
    );
  });

  test('has each replica as it is where the first has a Service or labels of pods by names of its own', async () => {
    const [selector, service] = ['selector: {app: chat}', 'service: {name: chat-berth}'].map(
      (own) => `engine: {kind: llama.cpp}, model: m, replicas: 2, target: {kind: kubernetes, ${own}}`,
    );
    place.write(`${fleet}  chat: {${selector}}\n  talk: {${service}}\n`);
    const { files, tree } = await chart();
    const values = parse(files.get('values.yaml') ?? '') as Values;
    expect(values.deployments['chat']).not.toHaveProperty('replicas');
    expect(values.deployments['talk']).not.toHaveProperty('replicas');
    const objects = [...files]
      .filter(([path]) => path.startsWith('templates/'))
      .flatMap(([, text]) => documents(filled(text, values)));
    expect(objects.toSorted(byName)).toEqual(tree.map(inNamespace).toSorted(byName));
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual(
      expect.arrayContaining(['Deployment chat-1', 'Service talk-1', 'Service chat-berth']),
    );
  });

  test('lets a release choose images, numbers of pods and resources', async () => {
    const { files } = await chart();
    expect(parse(files.get('Chart.yaml') ?? '')).toMatchObject({ apiVersion: 'v2', name: 'lab' });
    const values = parse(files.get('values.yaml') ?? '') as Values;
    expect(values).toMatchObject({ gateway: { replicas: 2 }, deployments: { mistral: { resources: {} } } });
    const chosen = {
      ...values,
      gateway: { ...values.gateway, replicas: 5, image: 'other:1', resources: { limits: { memory: '9Gi' } } },
    };
    const made = parse(filled(files.get('templates/deployment-berth-gateway.yaml') ?? '', chosen)) as object;
    expect(made).toMatchObject({
      spec: {
        replicas: 5,
        template: { spec: { containers: [{ image: 'other:1', resources: { limits: { memory: '9Gi' } } }] } },
      },
    });
  });

  test('makes as many replicas of an engine as a release wants, each with its own mark', async () => {
    const { files } = await chart();
    const values = parse(files.get('values.yaml') ?? '') as Values;
    expect(values.deployments['mistral']?.replicas).toBe(2);
    const three = {
      ...values,
      deployments: { ...values.deployments, mistral: { replicas: 3, image: 'a:1' } },
    };
    const made = documents(filled(files.get('templates/deployment-mistral.yaml') ?? '', three));
    expect(made.map(({ metadata }) => metadata.name)).toEqual(['mistral', 'mistral-1', 'mistral-2']);
    const marks = made.map(({ metadata }) => metadata.annotations?.['berth.dev/mark'] ?? '{}');
    expect(marks.map((text) => (JSON.parse(text) as { replica: number }).replica)).toEqual([0, 1, 2]);
    expect(made[2]).toMatchObject({
      spec: { selector: { matchLabels: { 'app.kubernetes.io/instance': 'mistral-2' } } },
    });
    expect(JSON.stringify(made)).not.toContain('990017');
    const none = { ...values, deployments: { ...values.deployments, mistral: { replicas: 0 } } };
    expect(documents(filled(files.get('templates/service-mistral.yaml') ?? '', none))).toEqual([]);
  });

  test('says in a schema which values there are', async () => {
    const { files } = await chart();
    const schema = JSON.parse(files.get('values.schema.json') ?? '') as object;
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: {
        gateway: { required: ['image', 'resources', 'replicas'] },
        deployments: {
          properties: {
            mistral: { properties: { replicas: { type: 'integer', minimum: 0 }, image: { type: 'string' } } },
          },
        },
      },
    });
  });

  test('has the values of a deployment that is called as what every object has', async () => {
    place.write(fleet.replace('  mistral: {', '  constructor: {'));
    const { files } = await chart();
    const { properties } = JSON.parse(files.get('values.schema.json') ?? '') as {
      properties: { deployments: { properties: Record<string, object> } };
    };
    expect(properties.deployments.properties['constructor']).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { replicas: { type: 'integer' }, image: { type: 'string' } },
    });
  });

  const helm = findHelm();
  test.skipIf(helm === null)(`is taken by Helm itself${helm ? '' : ' (helm is missing)'}`, async () => {
    const { tree } = await chart();
    rmSync(join(place.folder, 'chart'), { recursive: true, force: true });
    await rendered('--format', 'helm', '--out', 'chart');
    const folder = join(place.folder, 'chart');
    expect(readFileSync(join(folder, 'Chart.yaml'), 'utf8')).toContain('apiVersion: v2');
    function run(...args: string[]): string {
      return execFileSync(helm ?? '', args, { encoding: 'utf8', stdio: 'pipe' });
    }
    run('lint', '--strict', folder);
    const made = run('template', 'x', folder, '--namespace', 'here');
    const objects = documents(made);
    expect(objects.toSorted(byName)).toEqual(tree.map(inNamespace).toSorted(byName));
    const more = documents(run('template', 'x', folder, '--set', 'deployments.mistral.replicas=3'));
    expect(
      more.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name.startsWith('mistral')),
    ).toHaveLength(3);
    for (const wrong of [
      'deployments.mistral.replica=3',
      'deployments.mistral.replicas=-1',
      'gateway.image=',
    ])
      expect(() => run('template', 'x', folder, '--set', wrong)).toThrow(/values don't meet/);
  });
});

function filesOf(json: string): Map<string, string> {
  const { files } = JSON.parse(json) as { files: { path: string; text: string }[] };
  return new Map(files.map(({ path, text }) => [path, text]));
}

function byName(one: KubeObject, other: KubeObject): number {
  const [a, b] = [one, other].map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

/** What kustomize would fill in. */
function inNamespace(object: KubeObject): KubeObject {
  const subjects = object['subjects'] as object[] | undefined;
  return subjects ? { ...object, subjects: subjects.map((one) => ({ ...one, namespace: 'here' })) } : object;
}

interface Values {
  readonly gateway: object;
  readonly deployments: Readonly<Record<string, { readonly replicas?: number; readonly image?: string }>>;
}

function documents(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((one) => (one.toJS() as KubeObject | null) ?? []);
}

/** The few words of templates that charts of berth have, as Helm would fill them in. */
function filled(text: string, values: unknown): string {
  const loop =
    /^\{\{- range \$replica := until \(int \(index \$\.Values (.+?)\)\) \}\}\n.*\n([^]*)\{\{- end \}\}\n$/;
  const [, count = '', each] = loop.exec(text) ?? [];
  if (each === undefined) return withValues(text, values);
  return Array.from({ length: Number(at(values, count)) }, (_, replica) =>
    withValues(
      each
        .replaceAll('{{ $ending }}', replica === 0 ? '' : `-${replica}`)
        .replaceAll('{{ $replica }}', String(replica)),
      values,
    ),
  ).join('');
}

function withValues(text: string, values: unknown): string {
  return text
    .replaceAll(/\{\{- toYaml \(index \$\.Values (.+?)\) \| nindent \d+ \}\}/g, (_, path: string) =>
      JSON.stringify(at(values, path) ?? {}),
    )
    .replaceAll(/\{\{ index \$\.Values (.+?)( \| quote)? \}\}/g, (_, path: string) =>
      JSON.stringify(at(values, path)),
    )
    .replaceAll('{{ .Release.Namespace }}', 'here')
    .replaceAll('{{ "{{" }}', '{{');
}

function at(values: unknown, path: string): unknown {
  return [...path.matchAll(/"([^"]+)"/g)].reduce<unknown>(
    (inner, [, part = '']) => (inner as Record<string, unknown>)[part],
    values,
  );
}
