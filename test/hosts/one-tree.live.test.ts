import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findHelm } from '../support/find-helm.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { complete, llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const helm = findHelm();
const missing = missingForKserve();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(
  `one tree for Deployments and InferenceServices, with a stand-in for KServe's controller${why}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let standIn: { stop: () => Promise<void> };
    const namespace = 'both';

    beforeAll(async () => {
      box = await startCluster();
      await addKserve(box);
      box.kubectl('create', 'namespace', namespace);
      const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
      standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    });
    afterAll(async () => {
      await standIn?.stop();
      box?.stop();
    });

    beforeEach(async () => {
      place = makePlace();
      chmodSync(place.folder, 0o755);
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
      chmodSync(join(place.folder, 'm.gguf'), 0o644);
      place.write(JSON.stringify(claimOf(place.folder, namespace)), 'claim.json');
      box.kubectl('apply', '-f', join(place.folder, 'claim.json'));
      place.write(fleet());
    });
    afterEach(async () => {
      await place.berth('down');
      box.kubectl('-n', namespace, 'delete', 'pvc', 'weights', '--ignore-not-found');
      box.kubectl('delete', 'pv', 'weights', '--ignore-not-found');
      await place.close();
    });

    const deployments = 'deployments:';

    function fleet(): string {
      const backend = llamaTree()?.backend;
      const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', '512', '--threads', '1'];
      const command = JSON.stringify([...llamaProgram, ...flags]);
      const usual = `startTimeout: 90s, env: {GGML_BACKEND_PATH: ${backend}}`;
      return [
        'version: 1',
        'fleet: lab',
        'id: k3x9q2',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
        'models: {plain: {source: ./m.gguf}, toy: {source: ./m.gguf, at: {box: {pvc: weights, path: m.gguf}}}}',
        'gateway: {listen: ["127.0.0.1:0"]}',
        'console: {listen: "127.0.0.1:0"}',
        deployments,
        `  toy: {model: toy, engine: {kind: command, stopGrace: 5s, command: ${command}, ${usual}},`,
        `    target: {kind: kserve, image: "${llamaImage}", format: gguf, route: {auth: true}}}`,
        `  plain: {model: plain, port: 8081, engine: {kind: llama.cpp, slots: 2, context: 256, threads: 1, cacheRam: 0, ${usual}},`,
        `    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}}`,
      ].join('\n');
    }

    async function expectBothServe(): Promise<void> {
      async function codes(): Promise<boolean> {
        const status: FleetStatus = (await place.berth('status', '--json')).json();
        const urls = status.deployments.map(({ replicas }) => replicas[0]?.url ?? null);
        const found = await Promise.all(urls.map(async (url) => (url === null ? null : complete(url))));
        return found.length === 2 && found.every((code) => code === 200);
      }
      await until(codes, 'both engines', 180_000);
    }

    async function expectNothingToDo(): Promise<void> {
      const ran = await place.berth('plan', '--json');
      expect(ran.code, ran.stderr).toBe(0);
      const plan: Plan = ran.json();
      expect([plan.actions.map((action) => action.do), plan.findings]).toEqual([['keep', 'keep'], []]);
    }

    test('by kubectl alone it is what berth applies, and the reverse', async () => {
      const tree = join(place.folder, 'deploy/overlays/all');
      const rendered = await place.berth('render', '--format', 'kustomize', '--out', 'deploy');
      expect(rendered.code, rendered.stderr).toBe(0);
      place.write(box.kubectl('kustomize', tree), 'built.yaml');
      const strict = ['--server-side', '--validate=strict', '--dry-run=server'];
      box.kubectl('apply', ...strict, '-f', join(place.folder, 'built.yaml'));
      box.kubectl('apply', '-k', tree);
      await expectBothServe();
      await expectNothingToDo();

      expect((await place.berth('down')).code).toBe(0);
      const kinds = 'inferenceservices,servingruntimes,deployments,services,configmaps,roles';
      expect(box.kubectl('-n', namespace, 'get', kinds, '-o', 'name')).not.toMatch(/toy|plain/);
      const applied = await place.berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      await expectNothingToDo();
      expect(box.kubectl('diff', '-k', tree)).toBe('');
    });

    function release(...words: string[]): void {
      const where = ['--kubeconfig', box.kubeconfig, '-n', namespace];
      execFileSync(helm ?? '', [...words, ...where], { cwd: place.folder, stdio: 'pipe' });
    }

    test.skipIf(helm === null)(
      `what Helm installs of both is the fleet and stays Helm's, and a plan says so${helm ? '' : ' (skipped: no helm)'}`,
      async () => {
        const rendered = await place.berth('render', '--format', 'helm', '--out', 'chart');
        expect(rendered.code, rendered.stderr).toBe(0);
        release('install', 'lab', 'chart');
        await expectBothServe();
        await expectNothingToDo();

        const [head = ''] = fleet().split(deployments);
        place.write(`${head}${deployments} {}\n`);
        const plan: Plan = (await place.berth('plan', '--json')).json();
        expect(plan.actions.map((action) => action.do)).toEqual(['stop', 'stop']);
        const said = plan.findings.map(({ severity, message }) => `${severity}: ${message}`);
        expect(said.toSorted()).toEqual([
          expect.stringContaining('critical: Deployment plain is tracked by Helm'),
          expect.stringContaining('critical: InferenceService toy is tracked by Helm'),
        ]);
        const refused = await place.berth('apply');
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is tracked by Helm')]);
        place.write(fleet());
        await expectBothServe();
        release('uninstall', 'lab', '--wait');
      },
    );
  },
);
