import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AuditReport } from '../../../src/domain/audit/report.ts';
import { makePlace } from '../../support/berth.ts';
import { healthyCluster } from '../../support/healthy-cluster.ts';

type Thing = Record<string, unknown> & { kind: string };

function withoutKind(object: Thing): Record<string, unknown> {
  const { kind: _kind, apiVersion: _version, ...bare } = object as Record<string, unknown>;
  return bare;
}

/**
 * An API server with the objects of a namespace, without their kind, as servers give lists; `forbid` is a plural it refuses, and
 * "everywhere" all that is asked of no namespace.
 */
async function apiServer(
  objects: readonly Thing[],
  forbid = '',
): Promise<{ url: string; close: () => void }> {
  const groups = [...new Set(objects.map((one) => String(one['apiVersion'])))]
    .filter((one) => one.includes('/'))
    .map((groupVersion) => ({ name: groupVersion.split('/')[0], preferredVersion: { groupVersion } }));
  const server = createServer((request, response) => {
    if (request.url === '/apis')
      return void response.end(JSON.stringify({ kind: 'APIGroupList', apiVersion: 'v1', groups }));
    const [, namespace, plural = ''] = /\/v1\w*\/(namespaces\/llm\/)?(\w+)\?/.exec(request.url ?? '') ?? [];
    response.setHeader('content-type', 'application/json');
    if (plural === forbid || (forbid === 'everywhere' && namespace === undefined))
      return void response.writeHead(403).end(JSON.stringify({ message: `${plural} is forbidden` }));
    const items = objects.filter((one) => `${one.kind.toLowerCase().replace(/s$/, 'se')}s` === plural);
    response.end(JSON.stringify({ metadata: {}, items: items.map(withoutKind) }));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}

test('the namespace of a cluster that the file names is audited; one that hides a kind is left out, and that is said', async () => {
  const place = makePlace();
  const leftover = { kind: 'PersistentVolumeClaim', metadata: { name: 'old', namespace: 'llm' }, spec: {} };
  const objects = [...healthyCluster().objects, leftover] as Thing[];
  const deployment = JSON.stringify(objects[0]).replace(
    '"env":[',
    '"env":[{"name":"HF_TOKEN","value":"hf_secret"},',
  );
  objects[0] = JSON.parse(deployment) as Thing;
  const [open, shut, part] = await Promise.all([
    apiServer(objects),
    apiServer(objects, 'deployments'),
    apiServer(objects, 'everywhere'),
  ]);
  try {
    place.env['KUBECONFIG'] = join(place.folder, 'kube.yaml');
    function cluster(url: string): void {
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: url } }],
        users: [{ name: 'u', user: {} }],
        contexts: [{ name: 'box', context: { cluster: 'c', user: 'u' } }],
      };
      place.write(JSON.stringify(config), 'kube.yaml');
    }
    place.write('version: 1\nfleet: lab\nhosts: {box: {kubernetes: {context: box, namespace: llm}}}\n');
    cluster(open.url);
    const seen = await place.berth('audit', '--json', '--record', 'seen.json', '--timeout', '8s');
    const report = AuditReport.parse(seen.json());
    const found = report.findings.filter((one) => /^\w+ llm\//.test(one.object));
    expect(found.map((one) => `${one.rule} ${one.object}`)).toEqual([
      'secret-in-environment Deployment llm/mistral',
      'orphan-claim PersistentVolumeClaim llm/old',
    ]);
    expect(readFileSync(join(place.folder, 'seen.json'), 'utf8')).not.toContain('hf_secret');
    async function claims(...words: string[]): Promise<{ told: string[]; stderr: string }> {
      const ran = await place.berth('audit', '--json', '--timeout', '8s', ...words);
      const { findings } = AuditReport.parse(ran.json());
      return {
        told: findings.flatMap((one) => (one.rule === 'orphan-claim' ? [one.object] : [])),
        stderr: ran.stderr,
      };
    }
    cluster(part.url);
    const named = await claims();
    expect(named.told).toEqual(['PersistentVolumeClaim llm/old']);
    expect(named.stderr).toContain('only the namespaces that are named are looked at');
    place.write('version: 1\nfleet: lab\n');
    cluster(open.url);
    expect((await claims()).told).toEqual([]);
    expect((await claims('--context', 'box')).told).toEqual(['PersistentVolumeClaim llm/old']);
    place.write('version: 1\nfleet: lab\nhosts: {box: {kubernetes: {context: box, namespace: llm}}}\n');
    cluster(shut.url);
    const hidden = await place.berth('audit', '--json', '--timeout', '8s');
    expect(hidden.stderr).toContain('The objects of box were not looked at');
    expect(AuditReport.parse(hidden.json()).findings.filter((one) => / llm\//.test(one.object))).toEqual([]);
  } finally {
    for (const one of [open, shut, part]) one.close();
    await place.close();
  }
});

function brought(apiVersion: string, kind: string, spec: Record<string, unknown>): Thing {
  return {
    apiVersion,
    kind,
    metadata: { name: kind.toLowerCase(), namespace: 'llm', uid: 'a1b2c3d4e5' },
    spec,
  };
}

function claim(name: string): Thing {
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'llm' }, spec: {} };
}

function podWith(claimName: string): Record<string, unknown> {
  const volumes = [{ name: 'models', persistentVolumeClaim: { claimName } }];
  return { spec: { containers: [{ name: 'engine', image: 'example.org/engine:1' }], volumes } };
}

test('a claim is used that a kind of others names, also while it has no pod; where such a kind is not shown, none is called unused', async () => {
  const place = makePlace();
  const objects = [
    ...(healthyCluster().objects as Thing[]),
    brought('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {
      replicas: 0,
      leaderWorkerTemplate: { size: 2, workerTemplate: podWith('of-lws') },
    }),
    brought('ray.io/v1', 'RayService', {
      serveConfigV2: 'applications:\n- runtime_env: {env_vars: {HF_TOKEN: hf_ray}}\n',
      rayClusterConfig: { workerGroupSpecs: [{ replicas: 0, template: podWith('of-ray') }] },
    }),
    brought('argoproj.io/v1alpha1', 'Rollout', { replicas: 0, template: podWith('of-rollout') }),
    brought('kubeai.org/v1', 'Model', {
      url: 'pvc://of-model/m',
      cacheProfile: 'fast',
      minReplicas: 0,
      env: { HF_TOKEN: 'hf_model', PATH: '/bin' },
    }),
    ...[
      'of-lws',
      'of-ray',
      'of-rollout',
      'of-model',
      'shared-model-cache-fast',
      'model-cache-model-a1b2c3d',
    ].map(claim),
    claim('of-nobody'),
  ];
  const [open, shut] = await Promise.all([apiServer(objects), apiServer(objects, 'rayservices')]);
  async function unused(url: string): Promise<{ told: string[]; stderr: string }> {
    const config = {
      clusters: [{ name: 'c', cluster: { server: url } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'box', context: { cluster: 'c', user: 'u' } }],
    };
    place.write(JSON.stringify(config), 'kube.yaml');
    const ran = await place.berth('audit', '--json', '--record', 'seen.json', '--timeout', '8s');
    const { findings } = AuditReport.parse(ran.json());
    return {
      told: findings.flatMap((one) => (one.rule === 'orphan-claim' ? [one.object] : [])),
      stderr: ran.stderr,
    };
  }
  try {
    place.env['KUBECONFIG'] = join(place.folder, 'kube.yaml');
    place.write('version: 1\nfleet: lab\nhosts: {box: {kubernetes: {context: box, namespace: llm}}}\n');
    expect((await unused(open.url)).told).toEqual(['PersistentVolumeClaim llm/of-nobody']);
    const recorded = readFileSync(join(place.folder, 'seen.json'), 'utf8');
    expect(recorded).toContain('"RayService"');
    expect(recorded).not.toMatch(/hf_ray|hf_model/);
    const hidden = await unused(shut.url);
    expect(hidden.told).toEqual([]);
    expect(hidden.stderr).toMatch(/Of box these kinds are not shown, .*: RayService\./);
  } finally {
    for (const one of [open, shut]) one.close();
    await place.close();
  }
});

test('a service that runs by a runtime of the whole cluster counts as a server, also where only its Deployment tells which', async () => {
  const place = makePlace();
  const service = brought('serving.kserve.io/v1beta1', 'InferenceService', {
    predictor: { model: { modelFormat: { name: 'any' }, runtime: 'all' } },
  });
  const container = {
    name: 'kserve-container',
    image: 'vllm/vllm-openai:v0.11.0',
    args: ['--model', 'org/m'],
  };
  const runtime = {
    apiVersion: 'serving.kserve.io/v1alpha1',
    kind: 'ClusterServingRuntime',
    metadata: { name: 'all' },
    spec: { containers: [container] },
  };
  const made = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'predictor',
      namespace: 'llm',
      ownerReferences: [{ kind: 'InferenceService', name: 'inferenceservice' }],
    },
    spec: { template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } } },
  };
  const [seen, hidden] = await Promise.all([
    apiServer([service, runtime, made]),
    apiServer([service, runtime, made], 'everywhere'),
  ]);
  try {
    place.env['KUBECONFIG'] = join(place.folder, 'kube.yaml');
    place.write('version: 1\nfleet: lab\nhosts: {box: {kubernetes: {context: box, namespace: llm}}}\n');
    async function judged(url: string): Promise<string[]> {
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: url } }],
        users: [{ name: 'u', user: {} }],
        contexts: [{ name: 'box', context: { cluster: 'c', user: 'u' } }],
      };
      place.write(JSON.stringify(config), 'kube.yaml');
      const ran = await place.berth('audit', '--json', '--record', 'seen.json', '--timeout', '8s');
      const { findings } = AuditReport.parse(ran.json());
      const recorded = JSON.parse(readFileSync(join(place.folder, 'seen.json'), 'utf8')) as Thing;
      place.write(JSON.stringify({ ...recorded, hosts: [] }), 'cluster.json');
      const alone = await place.berth('audit', '--json', '--from', 'cluster.json');
      expect(AuditReport.parse(alone.json()).servers).toBe(1);
      return [...new Set(findings.flatMap(({ object }) => (/ llm\//.test(object) ? [object] : [])))];
    }
    expect(await judged(seen.url)).toEqual([]);
    expect(await judged(hidden.url)).toEqual(['Deployment llm/predictor']);
  } finally {
    for (const one of [seen, hidden]) one.close();
    await place.close();
  }
});
