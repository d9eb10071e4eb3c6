import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findHelm } from '../support/find-helm.ts';
import { mixedFleet as fleet } from '../support/mixed-fleet.ts';

let place: Place;

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

  test('is the same where the first replica has objects that no other has, and where a service carries a hash of itself', async () => {
    const own = 'model: m, replicas: 2, port: 8085, engine: {kind: llama.cpp}';
    const knative =
      'model: w, replicas: 2, engine: {kind: llama.cpp}, target: {kind: kserve, format: gguf, mode: Knative}';
    const fetched = `  f: {source: "hf://org/m", at: {k3s: {pvc: own, path: m, fetch: {size: 1Gi}}}}\n`;
    place.write(
      `${fleet.replace('  w: {', `${fetched}  w: {`)}  budgeted: {${own}, target: {kind: kubernetes, disruptionBudget: {maxUnavailable: 1}}}\n  brought: {${own.replace('model: m', 'model: f').replace('llama.cpp', 'vllm')}}\n  known: {${knative}}\n`,
    );
    const { files, tree } = await chart();
    const values = parse(files.get('values.yaml') ?? '') as Values;
    expect(values.deployments['budgeted']).toMatchObject({ replicas: 2 });
    expect(values.deployments['known']).not.toHaveProperty('replicas');
    const objects = [...files]
      .filter(([path]) => path.startsWith('templates/'))
      .flatMap(([, text]) => documents(filled(text, values)));
    expect(objects.toSorted(byName)).toEqual(tree.map(inNamespace).toSorted(byName));
    expect(files.get('templates/deployment-budgeted.yaml')).toContain('PodDisruptionBudget');
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

  test('makes as many InferenceServices as a release wants, with the image of their runtime, and a shared runtime once', async () => {
    const { files } = await chart();
    const values = parse(files.get('values.yaml') ?? '') as Values;
    const chosen = { replicas: 3, image: 'other:1', resources: { limits: { memory: '9Gi' } } };
    const three = {
      ...values,
      deployments: { ...values.deployments, served: chosen, alike: { ...chosen, replicas: 0 } },
    };
    function made(name: string): KubeObject[] {
      return documents(filled(files.get(`templates/${name}.yaml`) ?? '', three));
    }
    const services = made('inferenceservice-served');
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['served', 'served-1', 'served-2']);
    expect(services[2]).toMatchObject({
      spec: { predictor: { model: { runtime: 'served-2', resources: { limits: { memory: '9Gi' } } } } },
    });
    const [, runtime] = made('servingruntime-served');
    expect(runtime).toMatchObject({ spec: { containers: [{ image: 'other:1' }] } });
    const marks = made('configmap-served-mark');
    expect(marks.map(({ metadata }) => metadata.name)).toEqual([
      'served-mark',
      'served-1-mark',
      'served-2-mark',
    ]);
    expect(marks.map((one) => JSON.parse((one['data'] as { mark: string }).mark) as object)).toMatchObject([
      { replica: 0 },
      { replica: 1 },
      { replica: 2 },
    ]);
    expect(JSON.stringify([...services, ...marks])).not.toContain('990017');
    expect(made('servingruntime-shared')).toHaveLength(1);
    expect(made('inferenceservice-alike')).toEqual([]);
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
  const choice = /^\{\{- if eq \$replica 0 \}\}\n([^]*)\{\{- else \}\}\n([^]*)\{\{- end \}\}\n$/;
  const [, first, other] = choice.exec(each) ?? ['', each, each];
  return Array.from({ length: Number(at(values, count)) }, (_, replica) =>
    withValues(
      ((replica === 0 ? first : other) ?? '')
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
    .replaceAll('{{ $.Release.Namespace }}', 'here')
    .replaceAll('{{ "{{" }}', '{{');
}

function at(values: unknown, path: string): unknown {
  return [...path.matchAll(/"([^"]+)"/g)].reduce<unknown>(
    (inner, [, part = '']) => (inner as Record<string, unknown>)[part],
    values,
  );
}
