import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';
import { pressDisk } from './kube-disk.ts';
import { fleetWith } from './wrong-fleet.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const missing = missingForKserve();
if (missing !== null) console.info(`wrong inputs with KServe: not run, ${missing}`);

/** KServe's controller is a stand-in of ours. */
describe.skipIf(missing !== null)('the target kserve', () => {
  const namespace = 'wrong-kserve';
  let box: KubeBox;
  let place: Place;
  let standIn: ReturnType<typeof startStandIn>;

  beforeAll(async () => {
    box = await startCluster();
    await addKserve(box);
    box.kubectl('create', 'namespace', namespace);
    const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
    standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    place = makePlace();
    chmodSync(place.folder, 0o755);
    const model = join(place.folder, 'm.gguf');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: model });
    chmodSync(model, 0o644);
    place.write(JSON.stringify(claimOf(place.folder, namespace)), 'claim.json');
    box.kubectl('apply', '-f', join(place.folder, 'claim.json'));
  });
  afterAll(async () => {
    await standIn?.stop();
    await place?.close();
    box?.kubectl('delete', 'pv', 'weights', '--ignore-not-found', '--wait=false');
    box?.stop();
  });

  function fleet({
    image = llamaImage,
    startTimeout = '60s',
    context = 'box',
    kubeconfig = box.kubeconfig,
    model = 'none.gguf',
    size = 256,
  } = {}): string {
    const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', String(size)];
    const command = JSON.stringify([...llamaProgram, ...flags]);
    const env = `{GGML_BACKEND_PATH: ${llamaTree()?.backend}}`;
    const engine = `{kind: command, startTimeout: ${startTimeout}, stopGrace: 5s, command: ${command}, env: ${env}}`;
    const access = `{context: ${context}, namespace: ${namespace}, kubeconfig: "${kubeconfig}"}`;
    return fleetWith(
      `host: box, engine: ${engine}, target: {kind: kserve, image: "${image}", format: gguf}`,
      `./${model}, at: {box: {pvc: weights, path: ${model}}}`,
    ).replace(/^hosts:.*$/m, `hosts: {box: {kubernetes: ${access}}}`);
  }

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', namespace, ...args);
  }

  /** The service with the same model by another name. */
  const elsewhere = {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: 'a' },
    spec: { predictor: { model: { modelFormat: { name: 'gguf' }, storageUri: 'pvc://weights/./m.gguf' } } },
  };

  const wrongs: readonly WrongInput[] = [
    {
      name: 'an image that is not there',
      fleet: () => fleet({ image: 'localhost/none:1' }),
      code: 1,
      object: 'The image localhost/none:1 for a',
      cause: 'is not there and cannot be fetched',
      cure: 'target.image of a',
    },
    {
      name: 'a model that its claim does not have',
      fleet: () => fleet(),
      code: 1,
      object: 'a ended while starting',
      cause: /none\.gguf/,
      cure: 'kubectl logs deployment/a-predictor -c kserve-container',
    },
    {
      name: 'a quota that is used up',
      arrange: () => {
        inNamespace('create', 'quota', 'few', '--hard=pods=0');
        return () => inNamespace('delete', 'quota', 'few');
      },
      fleet: () => fleet({ startTimeout: '6s' }),
      code: 1,
      object: 'a did not become ready',
      cause: /gets no pod: .*exceeded quota: few/,
      cure: 'have the quota raised',
    },
    {
      name: 'a node whose disk is full',
      arrange: () => pressDisk(box),
      fleet: () => fleet({ startTimeout: '6s' }),
      code: 1,
      object: 'a did not become ready',
      cause: /finds no node: .*disk-pressure/,
      cure: 'Free some space on the node that is full',
    },
    {
      name: 'a context that is not there',
      fleet: () => fleet({ context: 'bxo' }),
      code: 2,
      object: 'There is no context bxo',
      cause: /it has .*box/,
      cure: 'Name one of them in the fleet file',
    },
    {
      name: 'a cluster that does not answer',
      unseen: true,
      arrange: () => {
        const text = readFileSync(box.kubeconfig, 'utf8');
        place.write(text.replace(/https:[^"]*/, 'https://127.0.0.1:1'), 'closed');
      },
      fleet: () => fleet({ kubeconfig: join(place.folder, 'closed') }),
      code: 6,
      object: 'The cluster at https://127.0.0.1:1',
      cause: 'does not answer: ',
      cure: 'kubectl cluster-info',
    },
    {
      name: 'a user without the rights',
      unseen: true,
      arrange: () => {
        inNamespace('create', 'serviceaccount', 'guest');
        const token = inNamespace('create', 'token', 'guest').trim();
        place.write(readFileSync(box.kubeconfig, 'utf8').replace(/token: [^}]*/, `token: ${token}`), 'guest');
        return () => inNamespace('delete', 'serviceaccount', 'guest');
      },
      fleet: () => fleet({ kubeconfig: join(place.folder, 'guest') }),
      code: 1,
      object: 'The cluster does not allow',
      cause: `system:serviceaccount:${namespace}:guest`,
      cure: 'Have the rights given to the user of the context',
    },
    {
      name: 'a field that another program has taken',
      arrange: async () => {
        place.write(fleet({ model: 'm.gguf' }));
        const ran = await place.berth('apply', '--yes');
        expect(ran.code, ran.stdout + ran.stderr).toBe(0);
        place.write(JSON.stringify(elsewhere), 'elsewhere.json');
        const file = join(place.folder, 'elsewhere.json');
        inNamespace('apply', '--server-side', '--force-conflicts', '--field-manager=robot', '-f', file);
      },
      fleet: () => fleet({ model: 'm.gguf', size: 512 }),
      code: 1,
      object: 'InferenceService a',
      cause: 'spec.predictor.model.storageUri (robot)',
      cure: 'let go of these fields',
    },
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });

  function traces(): string[] {
    const kinds = 'inferenceservices,servingruntimes,deployments,services,secrets,configmaps';
    return inNamespace('get', kinds, '-o', 'name').split('\n').filter(Boolean);
  }
});
