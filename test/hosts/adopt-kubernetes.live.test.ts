import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { llamaTree } from './container-box.ts';
import { complete, llamaImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const missing = missingForCluster();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`adopting what others run in a cluster${why}`, () => {
  let box: KubeBox;
  let place: Place;
  let namespace: string;
  let turn = 0;

  beforeAll(async () => {
    box = await startCluster();
  });
  afterAll(() => box?.stop());

  beforeEach(async () => {
    place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    turn += 1;
    namespace = `adopt-${turn}`;
    chmodSync(place.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    chmodSync(join(place.folder, 'm.gguf'), 0o644);
    place.write(
      [
        'version: 1',
        'fleet: lab',
        'id: k3x9q2',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}}}}`,
        'gateway: {listen: ["127.0.0.1:0"]}',
        'console: {listen: "127.0.0.1:0"} # as it was',
        '',
      ].join('\n'),
    );
    box.kubectl('create', 'namespace', namespace);
  });
  afterEach(async () => {
    await place.berth('down');
    await place.close();
  });

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', namespace, ...args);
  }

  function args(): string[] {
    return [
      '-m',
      '/models/m.gguf',
      '-c',
      '512',
      '-np',
      '2',
      '--threads',
      '1',
      '--host',
      '0.0.0.0',
      '--port',
      '8081',
      '--cache-ram',
      '0',
    ];
  }

  function workload(
    change: { kind?: string; metadata?: object; pod?: object; container?: object } = {},
  ): object {
    const container = {
      name: 'llama',
      image: llamaImage,
      imagePullPolicy: 'Never',
      command: llamaProgram,
      args: args(),
      env: [{ name: 'GGML_BACKEND_PATH', value: llamaTree()?.backend ?? '' }],
      ports: [{ containerPort: 8081 }],
      resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
      readinessProbe: { httpGet: { path: '/health', port: 8081 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'models', mountPath: '/models' }],
      ...change.container,
    };
    const stateful = change.kind === 'StatefulSet' ? { serviceName: 'chat' } : {};
    return {
      apiVersion: 'apps/v1',
      kind: change.kind ?? 'Deployment',
      metadata: { name: 'chat', labels: { team: 'search' }, ...change.metadata },
      spec: {
        ...stateful,
        replicas: 1,
        selector: { matchLabels: { app: 'chat' } },
        template: {
          metadata: { labels: { app: 'chat', tier: 'llm' }, annotations: { note: 'kept' } },
          spec: {
            containers: [container],
            volumes: [{ name: 'models', hostPath: { path: place.folder } }],
            terminationGracePeriodSeconds: 5,
            ...change.pod,
          },
        },
      },
    };
  }

  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'chat' },
    spec: { selector: { app: 'chat' }, ports: [{ port: 80, targetPort: 8081 }] },
  };

  function put(...objects: object[]): void {
    place.write(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'objects.json');
    inNamespace('apply', '-f', join(place.folder, 'objects.json'));
  }

  async function running(): Promise<void> {
    put(workload(), service);
    await until(() => Promise.resolve(ready()), 'the pod of others to be ready', 120_000);
  }

  function pods(): string {
    return inNamespace('get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.uid} {end}').trim();
  }

  function ready(): boolean {
    const path = 'jsonpath={.items[*].status.containerStatuses[*].ready}';
    return inNamespace('get', 'pods', '-o', path).trim() === 'true';
  }

  function deployment(): {
    metadata: { uid: string; labels: Record<string, string>; annotations: Record<string, string> };
    spec: unknown;
  } {
    return JSON.parse(inNamespace('get', 'deployment', 'chat', '-o', 'json'));
  }

  function endpoints(service = 'chat'): string {
    return inNamespace(
      'get',
      'endpointslices',
      '-l',
      `kubernetes.io/service-name=${service}`,
      '-o',
      'jsonpath={.items[*].endpoints[*].addresses[*]}',
    );
  }

  function adopting(...names: string[]): Promise<Ran> {
    return place.berth('adopt', '--host', 'box', ...names);
  }

  async function replica(): Promise<{ state: string; url: string | null }> {
    const status: FleetStatus = (await place.berth('status', '--json')).json();
    const [found] = status.deployments[0]?.replicas ?? [];
    return { state: found?.state ?? 'none', url: found?.url ?? null };
  }

  test('a Deployment is marked while its pods run on, is changed in its place, and goes with down', async () => {
    await running();
    const before = { pods: pods(), ...deployment() };
    const adopted = await adopting('chat');
    expect(adopted.code, adopted.stdout + adopted.stderr).toBe(0);
    expect(adopted.stdout).toContain('Adopted chat (Deployment chat); its definition is kept in');
    expect(adopted.stdout).toContain('"berth plan" has nothing to do for them.');
    expect(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')).toContain('# as it was');
    const plan = (await place.berth('plan', '--json')).json() as {
      actions: { do: string }[];
      findings: unknown;
    };
    expect(plan.actions.map((one) => one.do)).toEqual(['keep']);
    expect(plan.findings).toEqual([]);
    expect(pods()).toBe(before.pods);
    expect(deployment().spec).toEqual(before.spec);
    expect(deployment().metadata.labels['team']).toBe('search');
    // Who looks for berth's Service in the cluster finds the pod that runs, and that of others leads there as before.
    expect(endpoints('chat-berth')).toBe(endpoints());
    expect(endpoints('chat-berth')).not.toBe('');

    const seen = await replica();
    expect(seen.state).toBe('ready');
    expect(await complete(seen.url)).toBe(200);
    expect((await place.berth('logs', 'chat')).stdout).toMatch(/listening|loaded/i);
    expect((await place.berth('describe')).stdout).toContain('chat');

    // What others change of it is told, and stays until berth changes it.
    inNamespace('set', 'env', 'deployment/chat', 'OTHERS=1');
    await until(
      () => Promise.resolve(pods() !== before.pods && ready()),
      'the pod with the variable',
      120_000,
    );
    const drifted = await place.berth('plan');
    expect(drifted.stdout).toContain('somebody changed Deployment chat');

    const file = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
    place.write(file.replace('slots: 2', 'slots: 3'));
    const changed = await place.berth('apply');
    expect(changed.code, changed.stdout + changed.stderr).toBe(0);
    const after = deployment();
    expect(after.metadata.uid).toBe(before.metadata.uid);
    const { template } = after.spec as {
      template: {
        metadata: { labels: Record<string, string>; annotations: Record<string, string> };
        spec: { containers: { name: string; args: string[]; env: { name: string }[] }[] };
      };
    };
    expect(template.spec.containers.map(({ name }) => name)).toEqual(['engine']);
    expect(template.spec.containers[0]?.args.join(' ')).toContain('--parallel 3');
    expect(template.spec.containers[0]?.env.map(({ name }) => name)).toEqual(['GGML_BACKEND_PATH']);
    expect(template.metadata.labels).toMatchObject({ app: 'chat', tier: 'llm' });
    expect(template.metadata.annotations).toMatchObject({ note: 'kept' });
    expect(after.metadata.labels['team']).toBe('search');
    expect((await place.berth('plan')).stdout).toContain('0 to replace, 0 to stop, 1 unchanged');
    const now = await replica();
    expect(await complete(now.url)).toBe(200);
    // The Service of others leads to the pod of berth's.
    expect(`http://${endpoints()}:8081`).toBe(now.url);
    expect(endpoints('chat-berth')).toBe(endpoints());
    const refused = await place.berth('disown', 'chat');
    expect(refused.stderr).toContain('was started by berth');

    const down = await place.berth('down');
    expect(down.code, down.stdout + down.stderr).toBe(0);
    expect(inNamespace('get', 'deployments,pods', '-o', 'name').trim()).toBe('');
    expect(inNamespace('get', 'services', '-o', 'name').trim()).toBe('service/chat');
  });

  test('a restart makes new pods of the same, disown takes the marks away, and down ends what was adopted', async () => {
    await running();
    const before = { pods: pods(), ...deployment() };
    expect((await adopting('--all')).code).toBe(0);
    const again = await place.berth('restart', 'chat');
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(pods()).not.toBe(before.pods);
    const { spec } = deployment() as { spec: { template: { spec: unknown } } };
    expect(spec.template.spec).toEqual((before.spec as typeof spec).template.spec);
    const disowned = await place.berth('disown', 'chat');
    expect(disowned.code, disowned.stdout + disowned.stderr).toBe(0);
    const { labels, annotations } = deployment().metadata;
    expect(Object.keys({ ...labels, ...annotations }).filter((name) => name.includes('berth'))).toEqual([]);
    expect(labels).toEqual(before.metadata.labels);
    expect(inNamespace('get', 'services', '-o', 'name').trim()).toBe('service/chat');
    expect((await place.berth('status', '--json')).json()).toMatchObject({
      deployments: [{ name: 'chat', replicas: [{ state: 'stopped' }] }],
    });
    place.write(readFileSync(join(place.folder, 'berth.yaml'), 'utf8').split('models:')[0] ?? '');
    expect((await adopting('chat')).code).toBe(0);
    const down = await place.berth('down');
    expect(down.code, down.stdout + down.stderr).toBe(0);
    expect(inNamespace('get', 'deployments,pods', '-o', 'name').trim()).toBe('');
  });

  test('what cannot be told in a fleet file is refused, and what others have marked so is a conflict; nothing is left', async () => {
    put(
      workload({ kind: 'StatefulSet', metadata: { name: 'stateful' } }),
      workload({ metadata: { name: 'helmed', annotations: { 'meta.helm.sh/release-name': 'x' } } }),
      workload({ metadata: { name: 'rights' }, container: { securityContext: { privileged: true } } }),
      workload(),
    );
    const offered = await adopting();
    expect(offered.stdout).toContain(
      'Not adopted: llama.cpp of StatefulSet stateful: berth runs Deployments',
    );
    expect(offered.stdout).toContain('llama.cpp of Deployment helmed: it is kept by Helm');
    expect(offered.stdout).toContain('llama.cpp of Deployment rights: its container is privileged');
    inNamespace('label', 'deployment/chat', 'berth.dev/fleet-id=other', '--overwrite');
    const conflict = await adopting('chat');
    expect(conflict.code).not.toBe(0);
    expect(conflict.stderr).toContain('kubectl-label');
    expect(conflict.stderr).toContain('metadata.labels.berth.dev/fleet-id');
    expect(deployment().metadata.annotations['berth.dev/mark']).toBeUndefined();
    expect(inNamespace('get', 'services', '-o', 'name').trim()).toBe('');
    expect(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')).not.toContain('chat');
    expect(existsSync(join(place.folder, 'state/state/lab-k3x9q2/adopted'))).toBe(false);
  });
});
