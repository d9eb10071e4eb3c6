import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';
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
    place.write(JSON.stringify(claimOf(place.folder, namespace)), 'claim.json');
    box.kubectl('apply', '-f', join(place.folder, 'claim.json'));
  });
  afterAll(async () => {
    await standIn?.stop();
    await place?.close();
    box?.kubectl('delete', 'pv', 'weights', '--ignore-not-found', '--wait=false');
    box?.stop();
  });

  function fleet({ image = llamaImage, startTimeout = '60s' } = {}): string {
    const flags = ['-m', '{model}', '--host', '{host}', '--port', '{port}', '-c', '256'];
    const command = JSON.stringify([...llamaProgram, ...flags]);
    const env = `{GGML_BACKEND_PATH: ${llamaTree()?.backend}}`;
    const engine = `{kind: command, startTimeout: ${startTimeout}, stopGrace: 5s, command: ${command}, env: ${env}}`;
    const access = `{context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}`;
    return fleetWith(
      `host: box, engine: ${engine}, target: {kind: kserve, image: "${image}", format: gguf}`,
      './none.gguf, at: {box: {pvc: weights, path: none.gguf}}',
    ).replace(/^hosts:.*$/m, `hosts: {box: {kubernetes: ${access}}}`);
  }

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
        box.kubectl('-n', namespace, 'create', 'quota', 'few', '--hard=pods=0');
        return () => box.kubectl('-n', namespace, 'delete', 'quota', 'few');
      },
      fleet: () => fleet({ startTimeout: '6s' }),
      code: 1,
      object: 'a did not become ready',
      cause: /gets no pod: .*exceeded quota: few/,
      cure: 'have the quota raised',
    },
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });

  function traces(): string[] {
    const kinds = 'inferenceservices,servingruntimes,deployments,services,secrets,configmaps';
    return box.kubectl('-n', namespace, 'get', kinds, '-o', 'name').split('\n').filter(Boolean);
  }
});
