import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { complete, llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const missing = missingForKserve();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(
  `InferenceServices of a real cluster, with a stand-in for KServe's controller${why}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let standIn: { stop: () => Promise<void> };
    const namespace = 'models';

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
    });
    afterEach(async () => {
      await place.berth('down');
      inNamespace('delete', 'pvc', 'weights', '--ignore-not-found');
      box.kubectl('delete', 'pv', 'weights', '--ignore-not-found');
      await place.close();
    });

    function fleet(slots: number, target = ''): string {
      const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', '512', '--threads', '1'];
      const command = [...llamaProgram, ...flags, '--parallel', String(slots)];
      return [
        'version: 1',
        'fleet: lab',
        'id: k3x9q2',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
        'models: {toy: {source: ./m.gguf, at: {box: {pvc: weights, path: m.gguf}}}}',
        'gateway: {listen: ["127.0.0.1:0"]}',
        'console: {listen: "127.0.0.1:0"}',
        'deployments:',
        `  toy: {model: toy, engine: {kind: command, startTimeout: 90s, stopGrace: 5s, command: ${JSON.stringify(command)}, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend}}},`,
        `    target: {kind: kserve, image: "${llamaImage}", format: gguf${target}}}`,
      ].join('\n');
    }

    function inNamespace(...args: string[]): string {
      return box.kubectl('-n', namespace, ...args);
    }

    async function urlOf(): Promise<string | null> {
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      return status.deployments[0]?.replicas[0]?.url ?? null;
    }

    test('a service of any command serves, and calmly does so from another pod; who may ask it goes with it', async () => {
      place.write(fleet(1, ', route: {auth: true, token: true}'));
      const applied = await place.berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const url = await urlOf();
      expect(await complete(url)).toBe(200);
      inNamespace('delete', 'pod', '--all', '--grace-period=0', '--force');
      await until(
        async () => (await urlOf()) !== url && (await complete(await urlOf())) === 200,
        'another pod',
      );
      const calm = (await place.berth('plan')).stdout;
      expect(calm).toContain('1 unchanged');
      expect(calm).not.toContain('somebody changed');
      const may = ['auth', 'can-i', 'get', 'inferenceservices.serving.kserve.io/toy'];
      const account = `system:serviceaccount:${namespace}:toy-sa`;
      expect(inNamespace(...may, '--as', account).trim()).toBe('yes');
      const token = inNamespace('get', 'secret', 'toy-token', '-o', 'jsonpath={.data.token}');
      expect(token).not.toBe('');
      expect((await place.berth('down')).code).toBe(0);
      const left = inNamespace('get', 'secrets,serviceaccounts,roles,rolebindings', '-o', 'name');
      expect(left).not.toContain('toy');
    });

    test('a runtime that starts the engine by arguments of its own, at a port of its own, is given what adds to them', async () => {
      const [program = '', ...words] = llamaProgram;
      const runtime = {
        apiVersion: 'serving.kserve.io/v1alpha1',
        kind: 'ServingRuntime',
        metadata: { name: 'theirs', namespace },
        spec: {
          multiModel: false,
          supportedModelFormats: [{ name: 'gguf' }],
          containers: [
            {
              name: 'kserve-container',
              image: llamaImage,
              command: [program, ...words],
              args: ['--host', '0.0.0.0', '--port', '8085', '--model', '/mnt/models'],
              env: [{ name: 'GGML_BACKEND_PATH', value: llamaTree()?.backend }],
              ports: [{ containerPort: 8085, protocol: 'TCP' }],
            },
          ],
        },
      };
      const own = ['version: 1', 'fleet: lab', 'id: k3x9q2', ...fleet(1).split('\n').slice(3, 7)];
      place.write(
        [
          ...own,
          'deployments:',
          '  toy: {model: toy, engine: {kind: llama.cpp, context: 512, threads: 1, startTimeout: 90s},',
          '    target: {kind: kserve, format: gguf, runtime: {use: theirs}}}',
        ].join('\n'),
      );
      const nowhere = await place.berth('plan');
      expect(nowhere.stdout).toContain(`There is neither a ServingRuntime theirs in namespace ${namespace}`);
      place.write(JSON.stringify(runtime), 'theirs.json');
      box.kubectl('apply', '-f', join(place.folder, 'theirs.json'));
      expect((await place.berth('plan')).stdout).not.toContain('ServingRuntime');
      const applied = await place.berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const args = inNamespace('get', 'isvc', 'toy', '-o', 'jsonpath={.spec.predictor.model.args}');
      expect(args).toContain('["--model","/mnt/models/m.gguf"');
      expect(args).not.toContain('--port');
      expect([await complete(await urlOf()), (await urlOf())?.endsWith(':8085')]).toEqual([200, true]);
      await expectNothingToDo();
      expect((await place.berth('down')).code).toBe(0);
      expect(inNamespace('get', 'servingruntimes', '-o', 'name')).toContain('theirs');
      inNamespace('delete', 'servingruntime/theirs');
    });

    test("services of KServe's newer kind are told by status, as far as one may list them", async () => {
      place.write(fleet(1));
      const none = (await place.berth('status', '--json')).json() as FleetStatus;
      expect(none).not.toHaveProperty('llmServices');
      await addKserve(box, ['llminferenceservices']);
      const service = {
        apiVersion: 'serving.kserve.io/v1alpha1',
        kind: 'LLMInferenceService',
        metadata: { name: 'granite', namespace },
        spec: { model: { uri: 'hf://ibm-granite/granite' } },
      };
      place.write(JSON.stringify(service), 'granite.json');
      box.kubectl('apply', '-f', join(place.folder, 'granite.json'));
      const conditions = [{ type: 'Ready', status: 'False', reason: 'Stopped', message: 'it has no pods' }];
      const status = JSON.stringify({ status: { url: 'http://granite.example', conditions } });
      inNamespace(
        'patch',
        'llminferenceservice/granite',
        '--subresource=status',
        '--type=merge',
        '-p',
        status,
      );
      const { llmServices } = (await place.berth('status', '--json')).json() as FleetStatus;
      expect(llmServices).toEqual([
        {
          host: 'box',
          namespace,
          unseen: null,
          services: [
            {
              name: 'granite',
              state: 'not ready',
              reason: 'Stopped: it has no pods',
              url: 'http://granite.example',
              model: 'hf://ibm-granite/granite',
            },
          ],
        },
      ]);
      inNamespace('delete', 'llminferenceservice/granite');
    });

    test('what is written for S3, connections and Knative is taken by a strict server as it is', async () => {
      place.env['S3'] = 'AWS_ACCESS_KEY_ID=me';
      const target = `target: {kind: kserve, image: "${llamaImage}"`;
      const text = [
        'version: 1',
        'fleet: lab',
        `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
        'models: {kept: {source: "s3://models/kept", secret: "${env:S3}"}, own: {source: "s3://models/own"}}',
        'defaults: {gpus: 1, engine: {kind: vllm}}',
        'deployments:',
        `  kept: {model: kept, ${target}, dashboard: {hardwareProfile: {name: gpu}}, route: {auth: true}}}`,
        `  own: {model: own, ${target}, mode: Knative, connection: {secret: minio}}}`,
      ].join('\n');
      place.write(text);
      const written = await place.berth('render', '--format', 'kserve', '--namespace', namespace);
      expect(written.code, written.stderr).toBe(0);
      expect(written.stderr).toContain('kept needs a Secret');
      const file = join(place.folder, 'services.yaml');
      place.write(written.stdout, 'services.yaml');
      const told = inNamespace('apply', '--server-side', '--validate=strict', '--dry-run=server', '-f', file);
      expect(told.match(/serverside-applied/g)?.length).toBe(10);
      place.write(text.replace(', mode: Knative', ''));
      const missing = await place.berth('plan');
      expect(missing.stdout + missing.stderr).toContain('There is no Secret minio');
    });

    test('files that kubectl alone applies are what berth applies, and the reverse; berth serve finds the engine', async () => {
      place.env['KUBECONFIG'] = box.kubeconfig;
      place.write(fleet(1, ', route: {auth: true}'));
      const tree = join(place.folder, 'deploy');
      const words = ['render', '--format', 'kserve', '--namespace', namespace, '--out', 'deploy'];
      const rendered = await place.berth(...words);
      expect(rendered.code, rendered.stderr).toBe(0);
      box.kubectl('apply', '-k', tree);
      await until(async () => (await complete(await urlOf())) === 200, 'the engine', 180_000);
      await expectNothingToDo();

      const serving = place.spawn('serve', '--context', 'box', '--namespace', namespace);
      const url = await until(
        () => /Serving lab at (\S+)\/v1/.exec(serving.output().stderr)?.[1],
        'the gateway',
      );
      await until(async () => (await complete(url)) === 200, 'an answer through the gateway');
      inNamespace('delete', 'pod', '--all', '--grace-period=0', '--force');
      await until(async () => (await complete(url)) === 200, 'an answer of another pod', 120_000);
      serving.child.kill('SIGTERM');
      expect(await serving.exited).toBe(0);

      expect((await place.berth('down')).code).toBe(0);
      expect(inNamespace('get', 'configmaps', '-o', 'name')).not.toContain('toy');
      const applied = await place.berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      await expectNothingToDo();
      // What is applied and what is rendered are the same to the server.
      expect(box.kubectl('diff', '-k', tree)).toBe('');
    });

    async function expectNothingToDo(): Promise<void> {
      const ran = await place.berth('plan', '--json');
      expect(ran.code, ran.stderr).toBe(0);
      const plan: Plan = ran.json();
      expect([plan.actions.map((action) => action.do), plan.findings]).toEqual([['keep'], []]);
    }

    test('"berth stop" has a service stand still and keeps it, and "berth start" has it run again, whoever stopped it', async () => {
      place.write(fleet(1));
      expect((await place.berth('apply')).code).toBe(0);
      const before = uid();
      const stopped = await place.berth('stop', 'toy');
      expect(stopped.code, stopped.stdout + stopped.stderr).toBe(0);
      expect(stopped.stdout).toContain('Done: stop toy');
      expect(inNamespace('get', 'pods,deployments', '-o', 'name')).toBe('');
      await expectAtRest('apply');
      await expectAtRest('plan');
      const started = await place.berth('start', 'toy');
      expect(started.code, started.stdout + started.stderr).toBe(0);
      expect([await complete(await urlOf()), uid()]).toEqual([200, before]);
      await expectNothingToDo();

      inNamespace('annotate', 'inferenceservice', 'toy', 'serving.kserve.io/stop=true');
      await until(() => inNamespace('get', 'pods', '-o', 'name') === '', 'its pods to be gone');
      await expectAtRest('apply');
      expect((await place.berth('start', 'toy')).code).toBe(0);
      expect([await complete(await urlOf()), uid()]).toEqual([200, before]);
      expect((await place.berth('stop', 'toy')).code).toBe(0);
      expect((await place.berth('down')).code).toBe(0);
      expect(inNamespace('get', 'inferenceservices,configmaps', '-o', 'name')).not.toContain('toy');
    });

    function uid(): string {
      return inNamespace('get', 'inferenceservice', 'toy', '-o', 'jsonpath={.metadata.uid}');
    }

    /** Neither as drift nor as a failure, and nothing starts it by itself. */
    async function expectAtRest(command: 'apply' | 'plan'): Promise<void> {
      const ran = await place.berth(command);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect(ran.stdout + ran.stderr).not.toContain('somebody changed');
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      expect(status.deployments[0]?.replicas[0]?.state).toBe('stopped');
      expect(status.findings.map(({ rule, object }) => [rule, object])).toContainEqual(['at-rest', 'toy']);
    }

    test('a service that somebody stopped is told as that, and a runtime that another one names is kept', async () => {
      place.write(fleet(1, ', runtime: {create: llama}'));
      expect((await place.berth('apply')).code).toBe(0);
      const other = { predictor: { model: { modelFormat: { name: 'gguf' }, runtime: 'llama' } } };
      const foreign = {
        apiVersion: 'serving.kserve.io/v1beta1',
        kind: 'InferenceService',
        metadata: { name: 'theirs', namespace },
        spec: other,
      };
      place.write(JSON.stringify(foreign), 'theirs.json');
      box.kubectl('apply', '-f', join(place.folder, 'theirs.json'));
      inNamespace('annotate', 'inferenceservice', 'toy', 'serving.kserve.io/stop=true');
      expect((await place.berth('plan')).stdout).toContain('is stopped by serving.kserve.io/stop');
      expect((await place.berth('down')).code).toBe(0);
      expect(inNamespace('get', 'servingruntimes', '-o', 'name')).toContain('llama');
      inNamespace('delete', 'inferenceservice/theirs', 'servingruntime/llama');
    });
  },
);
