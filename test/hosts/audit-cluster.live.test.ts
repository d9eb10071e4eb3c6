import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AuditReport } from '../../src/domain/audit/report.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

const missing = missingForCluster();
const why = missing === null ? '' : ` (skipped: ${missing})`;
const namespace = 'audited-llm';

const group = 'leaderworkerset.x-k8s.io';
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `leaderworkersets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind: 'LeaderWorkerSet', plural: 'leaderworkersets', singular: 'leaderworkerset' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const labels = { app: 'chat' };
const container = {
  name: 'vllm',
  image: 'vllm/vllm-openai:v0.11.0',
  args: ['--model', 'org/m', '--port', '8000'],
  ports: [{ name: 'http', containerPort: 8000 }],
};

function template(claim: string): Record<string, unknown> {
  const volumes = [{ name: 'models', persistentVolumeClaim: { claimName: claim } }];
  return { metadata: { labels }, spec: { containers: [container], volumes } };
}

function claim(name: string): Record<string, unknown> {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace }, spec };
}

const objects = [
  {
    apiVersion: `${group}/v1`,
    kind: 'LeaderWorkerSet',
    metadata: { name: 'big', namespace },
    spec: { replicas: 0, leaderWorkerTemplate: { size: 2, workerTemplate: template('of-lws') } },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'chat', namespace },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: template('of-chat') },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'chat', namespace },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 'web' }] },
  },
  ...['of-lws', 'of-chat', 'of-nobody'].map(claim),
];

describe.skipIf(missing !== null)(`the audit of a cluster to which others have brought kinds${why}`, () => {
  let box: KubeBox;
  let place: Place;

  function apply(file: string, items: readonly unknown[]): void {
    const path = join(place.folder, file);
    writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    box.kubectl('apply', '-f', path);
  }

  async function found(): Promise<{ told: string[]; stderr: string }> {
    const ran = await place.berth('audit', '--json', '--timeout', '20s', '--context', 'box');
    const { findings } = AuditReport.parse(ran.json());
    const told = findings.filter((one) => one.object.includes(`${namespace}/`));
    return { told: told.map((one) => `${one.rule} ${one.object}`), stderr: ran.stderr };
  }

  beforeAll(async () => {
    box = await startCluster();
    place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    place.write('version: 1\nfleet: lab\n');
    box.kubectl('create', 'namespace', namespace);
    apply('kinds.json', [definition]);
    box.kubectl('wait', '--for=condition=Established', `crd/${definition.metadata.name}`, '--timeout=60s');
    apply('objects.json', objects);
  });
  afterAll(async () => {
    box?.kubectl('delete', 'namespace', namespace, '--wait=false');
    box?.kubectl('delete', 'crd', definition.metadata.name);
    await place?.close();
    box?.stop();
  });

  test('a claim is used that a LeaderWorkerSet without pods names, and one that nobody names is told', async () => {
    const { told } = await found();
    expect(told).toContain(`orphan-claim PersistentVolumeClaim ${namespace}/of-nobody`);
    expect(told.filter((one) => one.startsWith('orphan-claim'))).toHaveLength(1);
    expect(told).toContain(`target-port Service ${namespace}/chat`);
  });

  test('who may only view a cluster is told what it does not show, and no claim is called unused', async () => {
    box.kubectl('-n', namespace, 'create', 'serviceaccount', 'guest');
    const guest = `--serviceaccount=${namespace}:guest`;
    box.kubectl('create', 'clusterrolebinding', 'audit-guest', '--clusterrole=view', guest);
    try {
      const token = box.kubectl('-n', namespace, 'create', 'token', 'guest').trim();
      const file = join(place.folder, 'guest.yaml');
      writeFileSync(file, box.kubectl('config', 'view', '--raw', '--flatten'));
      place.env['KUBECONFIG'] = file;
      const user = box.kubectl('config', 'view', '-o', 'jsonpath={.contexts[?(@.name=="box")].context.user}');
      const config = `--kubeconfig=${file}`;
      box.kubectl(config, 'config', 'unset', `users.${user.trim()}`);
      box.kubectl(config, 'config', 'set-credentials', user.trim(), `--token=${token}`);
      const seen = await until(async () => {
        const one = await found();
        return one.told.length > 0 ? one : null;
      }, 'what the guest may see');
      expect(seen.stderr).toContain('these kinds are not shown');
      expect(seen.stderr).toContain('LeaderWorkerSet');
      expect(seen.told.filter((one) => one.startsWith('orphan-claim'))).toEqual([]);
      expect(seen.told).toContain(`target-port Service ${namespace}/chat`);
      const unused = `pvc:${namespace}/of-nobody`;
      const removed = await place.berth('remove', unused, '--context', 'box', '--with-data', '--yes');
      expect(removed.code).not.toBe(0);
      expect(removed.stderr).toContain('a LeaderWorkerSet may use it, and you may not list those');
    } finally {
      place.env['KUBECONFIG'] = box.kubeconfig;
      box.kubectl('delete', 'clusterrolebinding', 'audit-guest');
    }
  });
});
