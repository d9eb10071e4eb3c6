import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { makeAuthority } from '../support/certificates.ts';
import { contentOfBytes, startHub } from '../support/hub-server.ts';
import type { HubServer } from '../support/hub-server.ts';
import { s3Keys, startS3 } from '../support/s3-server.ts';
import { berthImage, berthImageFrom } from './berth-image.ts';
import { llamaTree } from './container-box.ts';
import { complete, llamaImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const root = resolve(import.meta.dirname, '../..');
const missing = missingForCluster();
const namespace = 'weights';
const token = 'hf_a-token-of-a-test';

describe.skipIf(missing !== null)(
  `models that a Job of a real cluster fetches${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let work: string;
    let hub: HubServer;
    let volume: string;

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), 'berth-image-'));
      execFileSync('node', [join(root, 'scripts/image.mjs'), join(work, 'image')], { stdio: 'ignore' });
      box = await startCluster([berthImageFrom(join(work, 'image'))]);
    });
    afterAll(() => {
      box?.stop();
      rmSync(work, { recursive: true, force: true });
    });

    beforeEach(async () => {
      place = makePlace();
      place.env['KUBECONFIG'] = box.kubeconfig;
      chmodSync(place.folder, 0o755);
      volume = join(place.folder, 'volume');
      mkdirSync(volume);
      // Volumes of such folders are given to no group by the kubelet.
      chmodSync(volume, 0o777);
      const path = join(place.folder, 'm.gguf');
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path });
      // The machine's end of the wire to the cluster, which pods reach.
      hub = await startHub(box.address.replace(/\.2$/, '.1'));
      hub.files.set('toy.Q8_0.gguf', contentOfBytes(readFileSync(path)));
      hub.files.set('toy.Q4_K_M.gguf', contentOfBytes(Buffer.from('GGUF of another')));
      box.kubectl('create', 'namespace', namespace);
      place.write(JSON.stringify(volumeOf(volume)), 'volume.json');
      box.kubectl('apply', '-f', join(place.folder, 'volume.json'));
      inNamespace('create', 'secret', 'generic', 'hub', `--from-literal=HF_TOKEN=${token}`);
    });
    afterEach(async () => {
      await place.berth('down');
      await place.close();
      await hub.stop();
      box.kubectl('delete', 'namespace', namespace);
      box.kubectl('delete', 'pv', 'fetched');
    });

    function inNamespace(...args: string[]): string {
      return box.kubectl('-n', namespace, ...args);
    }

    const fromHub = {
      source: 'hf://lab/toy:Q8_0',
      fetch: 'secret: hub, env: {HF_ENDPOINT: "$HUB"}',
    };

    function fleet(names: readonly string[] = ['toy'], replicas = 2, { source, fetch } = fromHub): string {
      const backend = llamaTree()?.backend ?? '';
      return `version: 1
fleet: lab
id: k3x9q2
hosts: {box: {kubernetes: {context: box, namespace: ${namespace}}}}
models:
  toy:
    source: ${source}
    at: {box: {pvc: weights, path: toy/m.gguf, fetch: {size: 1Gi, storageClass: fetched, ${fetch.replace('$HUB', hub.url)}}}}
gateway: {host: box, image: "${berthImage}", allowAnonymous: true}
deployments:
${names
  .map(
    (name) => `  ${name}:
    model: toy
    host: box
    replicas: ${replicas}
    engine: {kind: llama.cpp, slots: 2, context: 256, threads: 1, cacheRam: 0, startTimeout: 120s, env: {GGML_BACKEND_PATH: ${backend}}}
    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}`,
  )
  .join('\n')}
`;
    }

    test('the image of berth pulls a quantization with the token of a Secret, once for all, to where the engine opens it', async () => {
      place.write(fleet());
      const ran = await place.berth('apply');
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      const replicas = status.deployments[0]?.replicas ?? [];
      expect(replicas.map(({ state }) => state)).toEqual(['ready', 'ready']);
      expect(await complete(replicas[0]?.url ?? null)).toBe(200);
      const kept = readdirSync(join(volume, 'toy')).toSorted();
      expect(kept).toEqual([expect.stringMatching(/^\.berth-[0-9a-f]{8}$/), 'm.gguf']);
      const asked = hub.asked.filter(({ host }) => host === 'hub');
      expect(asked.map(({ path }) => path)).toEqual(['toy.Q8_0.gguf']);
      expect(asked[0]?.headers.authorization).toBe(`Bearer ${token}`);
      expect((await place.berth('plan')).stdout).toContain('unchanged');
    });

    test('of a store with an authority of its own a model comes with its projector, by the keys of a Secret', async () => {
      const address = box.address.replace(/\.2$/, '.1');
      const authority = makeAuthority();
      const { cert, keyFile } = authority.issue('store', { names: `IP:${address}` });
      const store = await startS3({ key: readFileSync(keyFile), cert }, address);
      onTestFinished(() => store.stop());
      const model = readFileSync(join(place.folder, 'm.gguf'));
      store.objects.set('models/toy/m.gguf', model);
      // What is fetched has to be a file of that format.
      store.objects.set('models/toy/mmproj.gguf', model);
      inNamespace('create', 'configmap', 'store-ca', `--from-file=ca.crt=${authority.certFile}`);
      const keys = [`AWS_ACCESS_KEY_ID=${s3Keys.id}`, `AWS_SECRET_ACCESS_KEY=${s3Keys.secret}`];
      inNamespace('create', 'secret', 'generic', 'store', ...keys.map((one) => `--from-literal=${one}`));
      const login = ['--docker-server=registry.lab', '--docker-username=u', '--docker-password=p'];
      inNamespace('create', 'secret', 'docker-registry', 'registry', ...login);
      const env = `{AWS_ENDPOINT_URL: "${store.url}", AWS_REGION: ${s3Keys.region}}`;
      const text = fleet(['toy'], 1, {
        source: 's3://models/toy/m.gguf\n    mmproj: s3://models/toy/mmproj.gguf',
        fetch: `secret: store, ca: {configMap: store-ca}, env: ${env}`,
      });
      // The engine of this test is given no projector, since that is none of a real model.
      const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', '256', '--threads', '1'];
      const command = JSON.stringify([...llamaProgram, ...flags]);
      const plain = `{kind: command, command: ${command}, startTimeout: 120s, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}}`;
      await apply(
        text
          .replace(/engine: \{kind: llama\.cpp.*\}\}/, `engine: ${plain}`)
          .replace(/, entrypoint: .*\}/, ', pullSecrets: [registry]}'),
      );
      expect(readdirSync(join(volume, 'toy')).filter((name) => !name.startsWith('.'))).toEqual([
        'm.gguf',
        'mmproj.gguf',
      ]);
      expect(readFileSync(join(volume, 'toy/mmproj.gguf')).equals(model)).toBe(true);
      const named = 'jsonpath={.items[0].spec.template.spec.imagePullSecrets[*].name}';
      expect(inNamespace('get', 'jobs', '-o', named)).toBe('registry');
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      expect(await complete(status.deployments[0]?.replicas[0]?.url ?? null)).toBe(200);
      expect((await place.berth('plan')).stdout).toContain('unchanged');
    });

    function jobs(): string[] {
      return inNamespace('get', 'jobs', '-o', 'name').split('\n').filter(Boolean);
    }

    async function apply(text: string): Promise<void> {
      place.write(text);
      const ran = await place.berth('apply');
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    }

    test('deployments with one model share its Job, which stays as long as one of them wants it', async () => {
      await apply(fleet(['toy', 'twin'], 1));
      const shared = jobs();
      expect(shared).toEqual([expect.stringMatching(/^job.batch\/weights-fetch-[0-9a-f]{8}$/)]);
      expect(hub.asked.filter(({ host }) => host === 'hub').map(({ path }) => path)).toEqual([
        'toy.Q8_0.gguf',
      ]);
      await apply(fleet(['twin'], 1));
      expect(jobs()).toEqual(shared);
      const plan = await place.berth('plan');
      expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining('unchanged')]);
      expect((await place.berth('down')).code).toBe(0);
      expect(jobs()).toEqual([]);
    });
  },
);

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
