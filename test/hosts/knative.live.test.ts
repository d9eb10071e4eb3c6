import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKnative, addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { complete, llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const missing = missingForKserve();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(
  `InferenceServices of Knative in a real cluster, with stand-ins for KServe and Knative${why}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let standIn: { stop: () => Promise<void> };
    let removeKnative: (() => void) | undefined;
    const namespace = 'revisions';

    beforeAll(async () => {
      box = await startCluster();
      await addKserve(box);
      box.kubectl('create', 'namespace', namespace);
      const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
      standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
      place = makePlace();
      chmodSync(place.folder, 0o755);
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
      chmodSync(join(place.folder, 'm.gguf'), 0o644);
      place.write(JSON.stringify(claimOf(place.folder, namespace)), 'claim.json');
      box.kubectl('apply', '-f', join(place.folder, 'claim.json'));
    });
    afterAll(async () => {
      await place?.berth('down');
      removeKnative?.();
      box?.kubectl('delete', 'pv', 'weights', '--ignore-not-found', '--wait=false');
      await place?.close();
      await standIn?.stop();
      box?.stop();
    });

    function fleet(slots: number, mode = 'Knative'): string {
      const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', '512', '--threads', '1'];
      const command = [...llamaProgram, ...flags, '--parallel', String(slots)];
      return [
        'version: 1',
        'fleet: lab',
        'id: k3x9q2',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
        'models: {toy: {source: ./m.gguf, at: {box: {pvc: weights, path: m.gguf}}}}',
        'deployments:',
        `  toy: {model: toy, engine: {kind: command, startTimeout: 90s, stopGrace: 5s, command: ${JSON.stringify(command)}, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend}}},`,
        `    target: {kind: kserve, image: "${llamaImage}", format: gguf, mode: ${mode}}}`,
      ].join('\n');
    }

    function inNamespace(...args: string[]): string {
      return box.kubectl('-n', namespace, ...args);
    }

    async function urlOf(): Promise<string | null> {
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      return status.deployments[0]?.replicas[0]?.url ?? null;
    }

    async function expectRan(...words: string[]): Promise<string> {
      const ran = await place.berth(...words);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      return ran.stdout + ran.stderr;
    }

    async function expectNothingToDo(): Promise<void> {
      const plan: Plan = (await place.berth('plan', '--json')).json();
      expect([plan.actions.map((action) => action.do), plan.findings]).toEqual([['keep'], []]);
    }

    /** The pod that serves is of the revision that Knative made last. */
    async function expectServedBy(revision: string): Promise<void> {
      expect(await complete(await urlOf())).toBe(200);
      const status = '-o=jsonpath={.status.latestCreatedRevisionName} {.status.latestReadyRevisionName}';
      expect(inNamespace('get', 'ksvc', 'toy-predictor', status)).toBe(`${revision} ${revision}`);
      const pods = `-l=serving.knative.dev/revision=${revision}`;
      const address = inNamespace('get', 'pods', pods, '-o=jsonpath={.items[*].status.podIP}');
      expect(await urlOf()).toBe(`http://${address}:8080`);
    }

    test('a cluster without Knative is told beforehand, and is left as it was', async () => {
      place.write(fleet(1));
      expect((await place.berth('plan')).stdout).toContain(
        'has no Knative (it does not serve serving.knative.dev/v1)',
      );
      const applied = await place.berth('apply');
      expect(applied.code).not.toBe(0);
      expect(applied.stdout + applied.stderr).toContain('Install Knative Serving');
      expect(inNamespace('get', 'isvc,servingruntimes,configmaps', '-o', 'name')).not.toContain('toy');
    });

    test('a service of Knative serves, and a change is a new revision that takes over from the one before', async () => {
      removeKnative = await addKnative(box);
      await expectRan('apply');
      await expectServedBy('toy-predictor-00001');
      await expectNothingToDo();
      expect((await place.berth('logs', 'toy')).stdout).toContain('listening on http');
      const first = await urlOf();
      place.write(fleet(2));
      await expectRan('apply');
      await expectServedBy('toy-predictor-00002');
      await until(async () => (await complete(first)) !== 200, 'the pod of before to end');
      await expectNothingToDo();
      await expectRan('apply', '--restart', 'toy');
      await expectServedBy('toy-predictor-00003');
      await expectNothingToDo();
    });

    test('a pod that is killed has another one come, without a new revision', async () => {
      const before = await urlOf();
      inNamespace('delete', 'pod', '--all', '--grace-period=0', '--force');
      await until(
        async () => {
          const now = await urlOf();
          return now !== before && (await complete(now)) === 200;
        },
        'another pod',
        120_000,
      );
      expect(await urlOf()).not.toBe(before);
      await expectServedBy('toy-predictor-00003');
      await expectNothingToDo();
    });

    test('a revision that never serves is told with its lines, and the one before answers all the while', async () => {
      place.write(fleet(1).replace('"--parallel"', '"--no-such-flag","--parallel"'));
      const url = await urlOf();
      const failing = place.berth('apply');
      await until(
        () => Promise.resolve(inNamespace('get', 'rev', '-o', 'name').includes('00004')),
        'the revision that fails',
      );
      expect(await complete(url)).toBe(200);
      const { code, stdout, stderr } = await failing;
      expect([code, stdout + stderr]).toEqual([7, expect.stringContaining('no-such-flag')]);
      expect(await complete(await urlOf())).toBe(200);
      place.write(fleet(2));
      await expectRan('apply');
      // What it went back to is a revision of its own, which takes over in its time: the one before has served all the while.
      const newest = ['get', 'ksvc', 'toy-predictor', '-o=jsonpath={.status.latestReadyRevisionName}'];
      await until(
        () => Promise.resolve(inNamespace(...newest) === 'toy-predictor-00005'),
        'the revision that it went back to',
      );
      await expectServedBy('toy-predictor-00005');
    });

    test('"berth stop" has Knative end all of it and keeps the service, and "berth start" has it serve again', async () => {
      await expectRan('stop', 'toy');
      expect(inNamespace('get', 'ksvc,deployments,pods', '-o', 'name')).toBe('');
      expect(inNamespace('get', 'isvc', '-o', 'name')).toContain('toy');
      await expectRan('start', 'toy');
      await expectServedBy('toy-predictor-00001');
      await expectNothingToDo();
    });

    test('a change of its mode makes the service anew, and nothing is left at the end', async () => {
      place.write(fleet(1, 'RawDeployment'));
      expect((await place.berth('plan')).stdout).toContain('cannot change the mode');
      await expectRan('apply');
      expect(await complete(await urlOf())).toBe(200);
      expect(inNamespace('get', 'ksvc,rev', '-o', 'name')).toBe('');
      place.write(fleet(1));
      await expectRan('apply');
      await expectServedBy('toy-predictor-00001');
      await expectRan('down');
      const kinds = 'isvc,servingruntimes,ksvc,rev,deployments,replicasets,pods,secrets,configmaps';
      expect(inNamespace('get', kinds, '-o', 'name')).not.toContain('toy');
    });
  },
);
