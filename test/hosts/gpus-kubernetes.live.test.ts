import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { podEngine, podKeys } from './suite/cluster.ts';
import { complete, missingForCluster, setGpus, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const missing = missingForCluster();
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** The node says that it had GPUs; the cluster's own scheduler and quotas count them. */
describe.skipIf(missing !== null)(`GPUs of a real cluster${why}`, () => {
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
    namespace = `gpus-${turn}`;
    // The user that an engine runs as is not the one who made the folder.
    chmodSync(place.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    chmodSync(join(place.folder, 'm.gguf'), 0o644);
  });
  afterEach(async () => {
    await place.berth('down');
    setGpus(box.kubectl, null);
    await place.close();
  });

  interface Wish {
    readonly gpus?: number;
    readonly slots?: number;
    readonly replicas?: number;
    readonly strategy?: string;
    readonly start?: string;
  }

  function write(wishes: Readonly<Record<string, Wish>>, quota = ''): void {
    const made = quota === '' ? 'true' : `{quota: {${quota}}}`;
    const lines = Object.entries(wishes).map(([name, wish]) => {
      const { gpus = 0, slots = 1, replicas = 1, strategy, start = '90s' } = wish;
      const engine = `kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: ${start}, ${podEngine()}`;
      const how = strategy === undefined ? '' : `, strategy: ${strategy}`;
      return `  ${name}: {model: toy, gpus: ${gpus}, replicas: ${replicas}, engine: {${engine}}, target: {kind: kubernetes, pull: Never, preStop: 0, ${podKeys}${how}}}`;
    });
    place.write(
      [
        'version: 1',
        'fleet: lab',
        'id: k3x9q2',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, createNamespace: ${made}}}}`,
        'models: {toy: {source: ./m.gguf}}',
        'gateway: {listen: ["127.0.0.1:0"]}',
        'console: {listen: "127.0.0.1:0"}',
        'deployments:',
        ...lines,
        '',
      ].join('\n'),
    );
  }

  async function applied(): Promise<Ran> {
    const ran = await place.berth('apply');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran;
  }

  /** Of each deployment, what its replicas answer to a completion, in their order. */
  async function answers(): Promise<Record<string, number[]>> {
    const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
    const all = deployments.map(async ({ name, replicas }) => [
      name,
      await Promise.all(replicas.map(({ url }) => complete(url))),
    ]);
    return Object.fromEntries(await Promise.all(all)) as Record<string, number[]>;
  }

  test('the one GPU there is goes to another engine in one apply, whichever of them the plan names first', async () => {
    setGpus(box.kubectl, 1);
    write({ a: { gpus: 0 }, b: { gpus: 1 } });
    await applied();
    // Whoever is to have it comes first by name, and would wait for ever.
    write({ a: { gpus: 1 }, b: { gpus: 0 } });
    await applied();
    expect(await answers()).toEqual({ a: [200], b: [200] });
    // The holder leaves the fleet, and another comes for it.
    write({ b: { gpus: 0 }, c: { gpus: 1 } });
    await applied();
    expect(await answers()).toEqual({ b: [200], c: [200] });
    expect((await place.berth('plan')).stdout).toContain('2 unchanged');
  });

  test('a rolling change finds no second GPU: that is told, undone, and the old pod serves on', async () => {
    setGpus(box.kubectl, 1);
    write({ a: { gpus: 1, strategy: 'RollingUpdate' } });
    await applied();
    write({ a: { gpus: 1, strategy: 'RollingUpdate', slots: 2, start: '8s' } });
    const failed = await place.berth('apply');
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toContain('Insufficient nvidia.com/gpu');
    expect(failed.stderr).toContain('a is back');
    expect(await answers()).toEqual({ a: [200] });
    setGpus(box.kubectl, 2);
    write({ a: { gpus: 1, strategy: 'RollingUpdate', slots: 2 } });
    await applied();
    expect(await answers()).toEqual({ a: [200] });
  });

  test('of two replicas one finds a GPU and serves, and the other is told with what it waits for', async () => {
    setGpus(box.kubectl, 1);
    write({ a: { gpus: 1, replicas: 2, start: '30s' } });
    const ran = await place.berth('apply');
    expect(ran.code).toBe(7);
    expect(ran.stdout + ran.stderr).toContain('Insufficient nvidia.com/gpu');
    expect((await answers())['a']?.filter((status) => status === 200)).toEqual([200]);
    setGpus(box.kubectl, 2);
    await applied();
    expect(await answers()).toEqual({ a: [200, 200] });
  });

  test('a quota of GPUs that berth made with the namespace is one that its engines keep to, and are told of', async () => {
    setGpus(box.kubectl, 2);
    const quota = 'requests.nvidia.com/gpu: 1';
    write({ a: { gpus: 1 } }, quota);
    await applied();
    // In its place: the old pod gives back what the quota counts before the new one asks for it.
    write({ a: { gpus: 1, slots: 2 } }, quota);
    await applied();
    write({ a: { gpus: 1, slots: 2 }, b: { gpus: 1, start: '8s' } }, quota);
    const full = await place.berth('apply');
    expect(full.code).not.toBe(0);
    expect(full.stdout + full.stderr).toMatch(
      /gets no pod: .*exceeded quota: berth, requested: requests.nvidia.com\/gpu=1, used: requests.nvidia.com\/gpu=1/,
    );
    expect((await answers())['a']).toEqual([200]);
  });
});
