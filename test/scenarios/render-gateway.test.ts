import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { mixedFleet as fleet } from '../support/mixed-fleet.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

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
