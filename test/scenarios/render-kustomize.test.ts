import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { clusterFleet } from '../support/cluster-fleet.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(clusterFleet);
});

afterEach(() => place.close());

interface Kustomization {
  readonly kind: string;
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
}

function kustomizationOf(folder: string): Kustomization {
  return parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
}

/** What a kustomization comes to, by its files alone. */
function built(folder: string): KubeObject[] {
  const { resources = [], components = [], namespace } = kustomizationOf(folder);
  const objects = [...resources, ...components].flatMap((path) =>
    path.endsWith('.yaml')
      ? [parse(readFileSync(join(folder, path), 'utf8')) as KubeObject]
      : built(join(folder, path)),
  );
  return objects.map((object) => (namespace === undefined ? object : inNamespace(object, namespace)));
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.kind === 'Namespace') return object;
  const subjects = object['subjects'] as object[] | undefined;
  return {
    ...object,
    metadata: { ...object.metadata, namespace },
    ...(subjects ? { subjects: subjects.map((one) => ({ ...one, namespace })) } : {}),
  };
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

function byName(one: KubeObject, other: KubeObject): number {
  return nameOf(one) < nameOf(other) ? -1 : 1;
}

async function written(...args: string[]): Promise<string> {
  const ran = await place.berth('render', '--format', 'kustomize', '--out', 'deploy', ...args);
  expect(ran.code, ran.stderr).toBe(0);
  return join(place.folder, 'deploy');
}

test('the overlay of all components comes to what is written for kubectl', async () => {
  const overlay = join(await written(), 'overlays/all');
  const manifests = await place.berth('render', '--format', 'kubernetes');
  const objects = parseAllDocuments(manifests.stdout).map((one) => one.toJS() as KubeObject);
  expect(objects.length).toBeGreaterThan(20);
  expect(built(overlay).toSorted(byName)).toEqual(objects.toSorted(byName));
});

test('what not every cluster has is a component of its own, and the base has the engines alone', async () => {
  const deploy = await written();
  expect(kustomizationOf(join(deploy, 'overlays/all'))).toEqual({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'llm',
    resources: ['../../base'],
    components: ['namespace', 'ingress', 'monitoring', 'autoscale', 'gateway', 'benchmarks'].map(
      (name) => `../../components/${name}`,
    ),
  });
  function kindsIn(folder: string): Set<string> {
    return new Set(built(join(deploy, folder)).map(({ kind }) => kind));
  }
  const engines = ['Service', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'PersistentVolumeClaim'];
  const kserve = ['InferenceService', 'ServingRuntime', 'ConfigMap', 'ServiceAccount', 'Role', 'RoleBinding'];
  expect(kindsIn('base')).toEqual(new Set([...engines, ...kserve]));
  expect(kindsIn('components/namespace')).toEqual(new Set(['Namespace', 'ResourceQuota', 'LimitRange']));
  expect(kindsIn('components/ingress')).toEqual(new Set(['Ingress', 'HTTPRoute']));
  expect(kindsIn('components/monitoring')).toEqual(new Set(['ServiceMonitor', 'PodMonitor']));
  expect(kindsIn('components/autoscale')).toEqual(new Set(['ScaledObject', 'HorizontalPodAutoscaler']));
  expect(kindsIn('components/benchmarks')).toEqual(new Set(['ConfigMap', 'CronJob']));
  for (const name of readdirSync(join(deploy, 'components')))
    expect(kustomizationOf(join(deploy, 'components', name)).kind).toBe('Component');
});

test('each deployment is written as what its target says, as the format of that target alone writes it', async () => {
  const all = await place.berth('render', '--format', 'kubernetes', '--json');
  const { files } = all.json() as { files: { path: string; text: string }[] };
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const served = await place.berth('render', 'served', '--format', 'kserve', '--json');
  const own = (served.json() as { files: { path: string; text: string }[] }).files;
  expect(texts.get('served.yaml')).toBe(own.find(({ path }) => path === 'served.yaml')?.text);
  expect(texts.get('served.yaml')).toContain('kind: InferenceService');
  expect(texts.get('mistral.yaml')).not.toContain('InferenceService');
});

test('what KServe cannot take, and a runtime that would be two, are refused in every format', async () => {
  const text = clusterFleet.replace(/ {2}served:[^]*/, '');
  place.write(
    `${text}\n  served: {model: m, engine: {kind: command, command: ["{port}"]}, target: {kind: kserve}}\n`,
  );
  for (const format of ['kubernetes', 'kustomize', 'helm']) {
    const refused = await place.berth('render', 'served', '--format', format);
    expect([refused.code, refused.stderr], format).toEqual([
      2,
      expect.stringContaining(`served cannot be written as ${format}: the engine has no image of its own`),
    ]);
  }
  place.write(`${text}
  served: {model: m, engine: {kind: vllm}, target: {kind: kserve, dashboard: {}, runtime: {create: r}}}
  other: {model: m, gpus: 1, engine: {kind: vllm}, target: {kind: kserve, dashboard: {}, runtime: {create: r}}}
`);
  for (const format of ['kubernetes', 'kustomize', 'helm']) {
    const refused = await place.berth('render', '--format', format);
    expect([refused.code, refused.stderr], format).toEqual([
      2,
      expect.stringContaining('The runtime r would be another one for served and for other.'),
    ]);
  }
});

test('an overlay of your own stays, and a component that the fleet no longer has goes away', async () => {
  const deploy = await written();
  mkdirSync(join(place.folder, 'deploy/overlays/staging'));
  place.write('resources: [../../base]\nnamespace: staging\n', 'deploy/overlays/staging/kustomization.yaml');
  place.write(clusterFleet.replace(/^benchmarks:[^]*?^deployments:/m, 'deployments:'));
  await written();
  expect(readdirSync(join(deploy, 'overlays'))).toEqual(['all', 'staging']);
  expect(readdirSync(join(deploy, 'components'))).not.toContain('benchmarks');
  expect(kustomizationOf(join(deploy, 'overlays/all')).components).not.toContain(
    '../../components/benchmarks',
  );
});

test('what is printed as one has no kustomization in it', async () => {
  const { stdout } = await place.berth('render', '--format', 'kustomize', 'mistral');
  const kinds = parseAllDocuments(stdout).map((one) => (one.toJS() as KubeObject).kind);
  expect(kinds).toContain('Deployment');
  expect(kinds).not.toContain('Kustomization');
});

test('the namespace is written where an apply would make it, before all else, as an apply would make it', async () => {
  for (const format of ['kubernetes', 'kserve']) {
    place.write(
      format === 'kserve'
        ? clusterFleet
            .replace(/^deployments:[^]*/m, 'deployments: {vllm: {model: h, gpus: 1, engine: {kind: vllm}}}\n')
            .replace(/^benchmarks:[^]*?^deployments:/m, 'defaults: {target: {kind: kserve}}\ndeployments:')
        : clusterFleet,
    );
    const ran = await place.berth('render', '--format', format);
    expect(ran.code, ran.stderr).toBe(0);
    const [namespace, quota, limits] = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
    expect(namespace).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: 'llm',
        labels: { 'modelmesh-enabled': 'false', 'app.kubernetes.io/managed-by': 'berth' },
      },
    });
    expect(quota).toMatchObject({
      kind: 'ResourceQuota',
      metadata: { name: 'berth', namespace: 'llm' },
      spec: { hard: { 'limits.memory': '64Gi' } },
    });
    expect(limits).toMatchObject({ kind: 'LimitRange', metadata: { namespace: 'llm' } });
  }
  place.write(clusterFleet.replace(/createNamespace:[^]*?models:/m, 'kubeconfig: /k\nmodels:'));
  const there = await place.berth('render', '--format', 'kubernetes');
  expect(there.stdout).not.toContain('kind: Namespace');
  expect(there.stdout).toContain('namespace: llm');
});

test('a chart has what stands in the namespace, and says how Helm makes it', async () => {
  const ran = await place.berth('render', '--format', 'helm', '--out', 'chart');
  expect(ran.code, ran.stderr).toBe(0);
  const templates = readdirSync(join(place.folder, 'chart/templates'));
  expect(templates).toEqual(expect.arrayContaining(['resourcequota-berth.yaml', 'limitrange-berth.yaml']));
  expect(templates.filter((name) => name.startsWith('namespace'))).toEqual([]);
  expect(ran.stderr).toContain(
    'The namespace llm is made before: kubectl create namespace llm; kubectl label namespace llm modelmesh-enabled=false',
  );
  place.write(clusterFleet.replace(/createNamespace:[^]*?models:/m, 'createNamespace: true\nmodels:'));
  const plain = await place.berth('render', '--format', 'helm');
  expect(plain.stderr).toContain('helm install lab . -n llm --create-namespace');
});

test('a claim that several deployments share is written once, in every format for clusters', async () => {
  place.write(`version: 1
fleet: lab
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models:
  one: {source: "hf://a/one", at: {k3s: {pvc: weights, path: one, fetch: {size: 20Gi}}}}
  two: {source: "hf://a/two", at: {k3s: {pvc: weights, path: two, fetch: {size: 20Gi}}}}
deployments:
  first: {model: one, engine: {kind: vllm}, target: {kind: kubernetes}}
  second: {model: two, engine: {kind: vllm}, target: {kind: kubernetes, service: {name: two}}}
`);
  const deploy = await written();
  const inBase = kustomizationOf(join(deploy, 'base')).resources ?? [];
  expect(inBase.filter((path) => path.includes('claim'))).toEqual(['persistentvolumeclaim-weights.yaml']);
  expect(inBase.filter((path) => path.startsWith('job-'))).toHaveLength(2);
  for (const format of ['kubernetes', 'helm']) {
    const ran = await place.berth('render', '--format', format);
    expect([ran.code, ran.stdout.match(/kind: "?PersistentVolumeClaim/g)?.length], format).toEqual([0, 1]);
  }
});
