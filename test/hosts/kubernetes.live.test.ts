import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { specsFolder } from '../support/kube-schema.ts';
import { llamaTree } from './container-box.ts';
import { complete, llamaImage, llamaProgram, missingForCluster, setGpus, startCluster } from './kube-box.ts';
import type { Image, KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const missing = missingForCluster();
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** What is special of them: the life of a fleet in a cluster is the suite's. */
describe.skipIf(missing !== null)(`Deployments of a real cluster${why}`, () => {
  let box: KubeBox;
  let place: Place;
  let namespace: string;
  let turn = 0;

  beforeAll(async () => {
    box = await startCluster([fetcher]);
  });
  afterAll(() => box?.stop());

  beforeEach(async () => {
    place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    turn += 1;
    namespace = `llm-${turn}`;
    // The user that an engine runs as is not the one who made the folder.
    chmodSync(place.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    chmodSync(join(place.folder, 'm.gguf'), 0o644);
  });
  afterEach(async () => {
    await place.berth('down');
    await place.close();
  });

  function fleet({ slots = 2, target = '', deployment = '', host = 'createNamespace: true' } = {}): string {
    const backend = llamaTree()?.backend ?? '';
    return [
      'version: 1',
      'fleet: lab',
      'id: k3x9q2',
      `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, ${host}}}}`,
      'models: {toy: {source: ./m.gguf}}',
      'gateway: {listen: ["127.0.0.1:0"]}',
      'console: {listen: "127.0.0.1:0"}',
      'deployments:',
      `  toy: {model: toy, port: 8081, ${deployment}engine: {kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {GGML_BACKEND_PATH: ${backend}}},`,
      `    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}${target}}}`,
    ].join('\n');
  }

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', namespace, ...args);
  }

  /** Objects of all kinds that a fleet could leave behind. */
  function traces(): string[] {
    const kinds =
      'deployments,replicasets,pods,services,secrets,ingresses,networkpolicies,leases,pvc,endpointslices';
    return inNamespace('get', kinds, '-o', 'name')
      .split('\n')
      .filter((line) => line !== '');
  }

  async function replicaOf(): Promise<{ state: string; url: string | null }> {
    const status: FleetStatus = (await place.berth('status', '--json')).json();
    const replica = status.deployments[0]?.replicas[0];
    return { state: replica?.state ?? 'none', url: replica?.url ?? null };
  }

  function isServed(kinds: readonly string[]): boolean {
    try {
      inNamespace('get', kinds.join(','), '-o', 'name');
      return true;
    } catch {
      return false;
    }
  }

  function written(name: string, text: string): string {
    place.write(text, name);
    return join(place.folder, name);
  }

  async function applied(text: string): Promise<void> {
    place.write(text);
    const ran = await place.berth('apply');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  }

  test('berth up follows a pod that another takes the place of', async () => {
    place.write(fleet());
    const up = await place.berth('up', '--detach', '--json');
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const { gateway } = up.json() as { gateway: { url: string } };
    expect(await complete(gateway.url)).toBe(200);
    inNamespace('delete', 'pod', '--all', '--grace-period=0', '--force');
    await until(async () => (await complete(gateway.url)) === 200, 'the pod that came back');
    const logs = join(place.folder, 'state/state/lab-k3x9q2/logs');
    expect(readFileSync(join(logs, 'up.log'), 'utf8')).not.toContain(' failed');
  });

  test('what somebody else changed is told, and a restart takes it back', async () => {
    await applied(fleet());
    inNamespace('set', 'env', 'deployment/toy', 'LLAMA_ARG_N_PREDICT=5');
    inNamespace('scale', 'deployment/toy', '--replicas=2');
    const drifted = await place.berth('plan', '--json');
    const { findings } = drifted.json() as { findings: { rule: string; evidence: string[] }[] };
    const drift = findings.find(({ rule }) => rule === 'drift');
    expect(drift?.evidence).toContain('Deployment toy spec.replicas: 1 → 2');
    const again = await place.berth('apply', '--restart', 'toy');
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(inNamespace('get', 'deployment', 'toy', '-o', 'jsonpath={.spec.replicas}')).toBe('1');
    expect((await place.berth('plan')).stdout).not.toContain('spec.replicas');
    const { url } = await replicaOf();
    expect((await place.berth('apply', '--restart', 'toy')).code).toBe(0);
    expect((await replicaOf()).url).not.toBe(url);
  });

  test('a field that another program owns and sets otherwise is a conflict, named before anything is changed', async () => {
    await applied(fleet());
    box.kubectl(
      '-n',
      namespace,
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=robot',
      '-f',
      written('image.json', imageOf('localhost/other:1')),
    );
    const drifted = await place.berth('plan');
    expect(drifted.stdout).toContain(
      'somebody changed Deployment toy spec.template.spec.containers.engine.image',
    );
    place.write(fleet({ slots: 3 }));
    const ran = await place.berth('apply');
    expect(ran.code).toBe(1);
    expect(ran.stdout + ran.stderr).toContain('spec.template.spec.containers[name="engine"].image (robot)');
  });

  test('an object that berth did not make is left alone, and so is one that Argo CD tracks', async () => {
    box.kubectl('create', 'namespace', namespace);
    inNamespace('create', 'service', 'clusterip', 'toy', '--tcp=80');
    place.write(fleet());
    const refused = await place.berth('apply');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Service toy, which toy needs, is there and was not made by berth.');
    expect(inNamespace('get', 'deployments', '-o', 'name')).toBe('');
    inNamespace('annotate', 'service', 'toy', 'argocd.argoproj.io/tracking-id=x:/Service:llm/toy');
    expect((await place.berth('apply')).stderr).toContain('Service toy is tracked by Argo CD');
    inNamespace('delete', 'service', 'toy');
  });

  test('an engine that never starts is told with the words of the cluster, and nothing of it is left', async () => {
    place.write(fleet({ target: ', nodeSelector: {zone: moon}' }).replace('90s', '6s'));
    const nowhere = await place.berth('apply');
    expect(nowhere.stdout + nowhere.stderr).toContain('finds no node: 0/1 nodes are available');
    place.write(fleet().replace(llamaImage, 'localhost/none:1'));
    const imageless = await place.berth('apply');
    expect(imageless.stdout + imageless.stderr).toContain(
      'The image localhost/none:1 for toy is not there and cannot be fetched',
    );
    place.write(fleet({ deployment: 'resources: {limits: {memory: 4Mi}}, ' }));
    const killed = await place.berth('apply');
    expect(killed.code, killed.stderr).toBe(1);
    expect(killed.stdout + killed.stderr).toMatch(/memory|ended/);
    await until(() => Promise.resolve(traces().length === 0), 'nothing to be left');
  });

  test('a change that never answers leaves the old pod serving, and is undone', async () => {
    await applied(fleet());
    const { url } = await replicaOf();
    place.write(fleet({ slots: 3 }).replace(llamaImage, 'localhost/none:1'));
    const failed = await place.berth('apply');
    expect(failed.stderr).toContain('toy is back');
    expect(await complete(url)).toBe(200);
    expect((await replicaOf()).url).toBe(url);
  });

  test('a GPU that the node has not, or that another holds, makes it wait, and the one there is goes from pod to pod', async () => {
    const gpus = { deployment: 'gpus: 1, ' };
    place.write(fleet(gpus).replace('90s', '6s'));
    const waiting = await place.berth('apply');
    expect(waiting.stdout + waiting.stderr).toContain('Insufficient nvidia.com/gpu');

    setGpus(box.kubectl, 1);
    await applied(fleet(gpus));
    const first = (await replicaOf()).url;
    await applied(fleet({ ...gpus, slots: 3 }));
    const { url } = await replicaOf();
    expect(url).not.toBe(first);
    expect(await complete(url)).toBe(200);

    const other = fleet(gpus).split('\n').slice(-2).join('\n').replace('toy:', 'other:');
    place.write(`${fleet({ ...gpus, slots: 3 })}\n${other.replace('8081', '8082').replace('90s', '6s')}`);
    const second = await place.berth('apply');
    expect(second.stdout + second.stderr).toContain('Insufficient nvidia.com/gpu');
    expect(await complete(url)).toBe(200);
    setGpus(box.kubectl, null);
  });

  test('a quota that is used up is told when planning where it is of objects, and of pods when they do not come', async () => {
    box.kubectl('create', 'namespace', namespace);
    setGpus(box.kubectl, 1);
    inNamespace('create', 'quota', 'few', '--hard=services=0');
    place.write(fleet({ deployment: 'gpus: 1, ' }).replace('90s', '6s'));
    const full = await place.berth('plan');
    expect(full.stdout + full.stderr).toContain('The namespace has no room for Service toy');
    inNamespace('delete', 'quota', 'few');
    inNamespace('create', 'quota', 'gpus', '--hard=requests.nvidia.com/gpu=0');
    const none = await place.berth('apply');
    expect(none.stdout + none.stderr).toMatch(
      /gets no pod: .*exceeded quota: gpus, requested: requests.nvidia.com\/gpu=1/,
    );
    inNamespace('delete', 'quota', 'gpus');
    setGpus(box.kubectl, null);
  });

  test('what a platform does beside an engine is applied with it, compared, and goes when nobody asks for it', async () => {
    const known = platform.filter(({ crd }) => crd === null || hasDefinition(crd));
    for (const { crd } of known) if (crd !== null) box.kubectl('apply', '--server-side', '-f', fileOf(crd));
    const kinds = known.map(({ kind }) => kind);
    const keys = known.map(({ key }) => `, ${key}`).join('');
    await until(() => isServed(kinds), 'the definitions to be served');
    function there(): string[] {
      const names = inNamespace('get', kinds.join(','), '-o', 'name').split('\n');
      return names.filter((name) => name !== '').map((name) => name.replace(/[./].*/, ''));
    }
    await applied(fleet({ target: keys }));
    expect(there().toSorted()).toEqual(kinds.toSorted());
    const calm = (await place.berth('plan')).stdout;
    expect(calm).toContain('1 unchanged');
    expect(calm).not.toContain('somebody changed');
    inNamespace('patch', 'poddisruptionbudget', 'toy', '--type=merge', '-p', '{"spec":{"maxUnavailable":2}}');
    expect((await place.berth('plan')).stdout).toContain('PodDisruptionBudget toy spec.maxUnavailable');
    await applied(fleet());
    // A cluster sweeps kinds that it has just learnt of only once its own look at them is over.
    await until(() => there().length === 0, 'them to be gone');
  });

  test('a model is fetched into a claim by a Job, once for all replicas', async () => {
    box.kubectl('create', 'namespace', namespace);
    const volume = join(place.folder, 'volume');
    mkdirSync(volume);
    copyFileSync(join(place.folder, 'm.gguf'), join(volume, 'seed'));
    box.kubectl('apply', '-f', written('volume.json', JSON.stringify(volumeOf(volume))));
    const script = JSON.stringify('echo "$1" >>/mnt/models/asked; cp /mnt/models/seed "$2"/m.gguf');
    // A quota that wants each container to say what it takes.
    inNamespace(
      'create',
      'quota',
      'all',
      '--hard=requests.cpu=2,requests.memory=8Gi,limits.cpu=8,limits.memory=16Gi',
    );
    const amounts = 'resources: {requests: {cpu: 100m, memory: 256Mi}, limits: {cpu: 1, memory: 1Gi}}, ';
    const sum = createHash('sha256')
      .update(readFileSync(join(volume, 'seed')))
      .digest('hex');
    const fetch = `fetch: {size: 1Gi, sums: {m.gguf: ${sum}}, storageClass: fetched, image: "${fetcherImage}", entrypoint: [sh, -c, ${script}, sh]}`;
    await applied(
      fleet({ deployment: `replicas: 2, ${amounts}` })
        .replace('port: 8081, ', '')
        .replace(
          './m.gguf',
          `"https://models.lab/m.gguf", at: {box: {pvc: weights, path: toy/m.gguf, ${fetch}}}`,
        ),
    );
    const status: FleetStatus = (await place.berth('status', '--json')).json();
    expect(status.deployments[0]?.replicas.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(readFileSync(join(volume, 'asked'), 'utf8')).toBe('https://models.lab/m.gguf\n');
    expect((await place.berth('plan')).stdout).toContain('2 unchanged');
    const ended = await place.berth('down');
    expect([ended.code, ended.stdout]).toEqual([
      0,
      expect.stringContaining('PersistentVolumeClaim weights on box stays') as string,
    ]);
    expect(ended.stdout).toContain(`kubectl --context box -n ${namespace} delete pvc weights`);
    expect(inNamespace('get', 'jobs,pvc', '-o', 'name').trim()).toBe('persistentvolumeclaim/weights');
    inNamespace('delete', 'pvc', 'weights');
    box.kubectl('delete', 'pv', 'fetched');
  });

  test('a secret reaches the engine as a file, and stands in no argument and in no mark', async () => {
    // Its namespace is made with a quota, and with what its containers take, since the file does not say that.
    const amounts = 'containers: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 2, memory: 2Gi}}';
    const host = `createNamespace: {labels: {team: llm}, quota: {limits.cpu: 8, limits.memory: 16Gi}, ${amounts}}`;
    await applied(fleet({ deployment: 'ownKey: true, ', host }));
    expect(box.kubectl('get', 'namespaces', '-l', 'team=llm', '-o', 'name')).toContain(namespace);
    expect(inNamespace('get', 'quota', 'berth', '-o', 'jsonpath={.status.used.limits\\.cpu}')).toBe('2');
    const { url } = await replicaOf();
    expect(await complete(url)).toBe(401);
    const key = Buffer.from(
      inNamespace('get', 'secret', 'toy-secrets', '-o', 'jsonpath={.data.key}'),
      'base64',
    ).toString();
    expect(key.length).toBeGreaterThan(20);
    expect(inNamespace('get', 'deployments,pods', '-o', 'yaml')).not.toContain(key);
    expect(await complete(url, key)).toBe(200);
  });

  test('a context, a namespace and a server that are not there are each told by name', async () => {
    place.write(fleet().replace('context: box', 'context: bxo'));
    const contextless = await place.berth('plan');
    expect(contextless.stdout + contextless.stderr).toContain('There is no context bxo');
    place.write(fleet({ host: 'createNamespace: false' }));
    expect((await place.berth('apply')).stderr).toContain(`There is no namespace ${namespace}`);
  });
});

const fetcherImage = 'localhost/fetcher:1';

/** A shell and what it needs to bring a file into a folder. */
function fetcher(folder: string): Image {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(busybox, join(bin, 'busybox'));
  chmodSync(join(bin, 'busybox'), 0o755);
  for (const name of ['sh', 'cp', 'mkdir', 'touch', 'sleep', 'sha256sum', 'rm'])
    symlinkSync('busybox', join(bin, name));
  return { name: fetcherImage, from: folder, files: ['bin'], entrypoint: [], env: ['PATH=/bin'] };
}

function volumeOf(path: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'fetched' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fetched',
      capacity: { storage: '1Gi' },
      hostPath: { path },
    },
  };
}

/** Keys of a target with the kinds that they bring; `crd`: whose definition is not Kubernetes' own. */
const platform = [
  { kind: 'poddisruptionbudget', key: 'disruptionBudget: {maxUnavailable: 1}', crd: null },
  {
    kind: 'horizontalpodautoscaler',
    key: 'autoscale: {max: 2, metric: llamacpp_requests_deferred, average: 2}',
    crd: null,
  },
  { kind: 'httproute', key: 'httpRoute: {gateway: web}', crd: 'gateway.networking.k8s.io_httproutes' },
  { kind: 'servicemonitor', key: 'monitor: {}', crd: 'monitoring.coreos.com_servicemonitors' },
] as const;

function fileOf(crd: string): string {
  return join(specsFolder ?? '', `${crd}.yaml`);
}

function hasDefinition(crd: string): boolean {
  return specsFolder !== undefined && existsSync(fileOf(crd));
}

function imageOf(image: string): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'toy' },
    spec: { template: { spec: { containers: [{ name: 'engine', image }] } } },
  });
}
