import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { llamaImage as kubeImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';
import { pressDisk } from './kube-disk.ts';
import { fleetWith } from './wrong-fleet.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const noCluster = missingForCluster();
if (noCluster !== null) console.info(`wrong inputs with a cluster: not run, ${noCluster}`);

describe.skipIf(noCluster !== null)('the target kubernetes', () => {
  let box: KubeBox;
  let place: Place;
  const entrypoint = JSON.stringify(['/usr/bin/llama-server']);

  beforeAll(async () => {
    box = await startCluster();
    place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    place.write('GGUF', 'm.gguf');
    box.kubectl('create', 'namespace', 'llm');
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
  });

  function fleet({
    namespace = 'llm',
    context = 'box',
    image = kubeImage,
    target = '',
    deployment = '',
    model = './m.gguf',
  } = {}): string {
    return fleetWith(
      `host: box, port: 8081, ${deployment}engine: {kind: llama.cpp, slots: 2, context: 256, startTimeout: 60s}, target: {kind: kubernetes, image: "${image}", pull: Never, preStop: 0, entrypoint: ${entrypoint}${target}}`,
      model,
    ).replace(/^hosts:.*$/m, `hosts: {box: {kubernetes: {context: ${context}, namespace: ${namespace}}}}`);
  }

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', 'llm', ...args);
  }

  function preparedBy(image: string): object {
    const command = [...llamaProgram, '--no-such-flag'];
    const fetcher = { name: 'fetcher', image, imagePullPolicy: 'Never', command };
    return { spec: { template: { spec: { initContainers: [fetcher] } } } };
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a context that is not there',
      fleet: () => fleet({ context: 'bxo' }),
      code: 2,
      object: 'There is no context bxo',
      cause: /it has .*box/,
      cure: 'Name one of them in the fleet file',
    },
    {
      name: 'a namespace that is not there',
      unseen: true,
      fleet: () => fleet({ namespace: 'nowhere' }),
      code: 1,
      object: 'There is no namespace nowhere',
      cause: 'in the cluster at',
      cure: 'kubectl create namespace nowhere',
    },
    {
      name: 'a user without the rights',
      arrange: () => {
        inNamespace('create', 'serviceaccount', 'guest');
        const token = inNamespace('create', 'token', 'guest').trim();
        const config = join(place.folder, 'guest');
        writeFileSync(
          config,
          box.kubectl('config', 'view', '--raw', '--minify', '--flatten', '--context', 'box'),
        );
        box.kubectl('--kubeconfig', config, 'config', 'set-credentials', 'guest', `--token=${token}`);
        box.kubectl('--kubeconfig', config, 'config', 'set-context', 'box', '--user=guest');
        place.env['KUBECONFIG'] = config;
        return () => {
          place.env['KUBECONFIG'] = box.kubeconfig;
          inNamespace('delete', 'serviceaccount', 'guest');
        };
      },
      fleet: () => fleet(),
      code: 1,
      object: 'The cluster does not allow',
      cause: 'system:serviceaccount:llm:guest',
      cure: 'Have the rights given to the user of the context',
    },
    {
      name: 'a quota that is used up',
      arrange: () => {
        inNamespace('create', 'quota', 'few', '--hard=services=0');
        return () => inNamespace('delete', 'quota', 'few');
      },
      fleet: () => fleet(),
      code: 1,
      object: 'The namespace has no room for Service a',
      cause: 'exceeded quota',
      cure: 'have the quota raised',
    },
    {
      name: 'a quota that wants to know what a pod takes',
      arrange: () => {
        inNamespace('create', 'quota', 'all', '--hard=limits.cpu=8');
        return () => inNamespace('delete', 'quota', 'all');
      },
      fleet: () => fleet(),
      code: 1,
      object: 'The namespace has no room for a pod of a',
      cause: /failed quota: all: must specify limits\.cpu/,
      cure: 'State what it names under resources',
    },
    {
      name: 'a service account that nobody made',
      fleet: () => fleet({ target: ', serviceAccount: nobody' }),
      code: 1,
      object: 'There is no ServiceAccount nobody in namespace llm',
      cause: 'pods could not be made without it',
      cure: 'Make it first',
    },
    {
      name: 'a Secret that nobody made',
      fleet: () =>
        fleet().replace(
          'slots: 2',
          'slots: 2, env: {TOKEN: {secret: {secretRef: {name: none, key: token}}}}',
        ),
      code: 1,
      object: 'There is no Secret none in namespace llm',
      cause: 'pods would wait for it',
      cure: 'Make it first',
    },
    {
      name: 'an image that is not there',
      fleet: () => fleet({ image: 'localhost/none:1' }),
      code: 1,
      object: 'The image localhost/none:1 for a',
      cause: 'is not there and cannot be fetched',
      cure: 'target.image of a',
    },
    {
      name: 'a node that nobody has',
      fleet: () => fleet({ target: ', nodeSelector: {zone: moon}' }).replace('60s', '6s'),
      code: 1,
      object: 'a did not become ready',
      cause: /0\/1 nodes are available/,
      cure: 'correct target.nodeSelector',
    },
    {
      name: 'a model that its node does not have',
      fleet: () =>
        fleet({ model: './m.gguf, at: {box: {hostPath: /srv/none, path: m.gguf}}' }).replace('60s', '20s'),
      code: 1,
      object: 'a did not become ready',
      cause: /is being started by its node: .*\/srv\/none/,
      cure: 'the model by its path under models.*.at',
    },
    {
      name: 'what fetches a model and cannot',
      fleet: () => fleet({ target: `, patch: ${JSON.stringify(preparedBy(kubeImage))}` }),
      code: 1,
      object: 'What prepares a, its init container fetcher, ended again and again with exit code 1',
      cause: /--no-such-flag/,
      cure: 'kubectl logs deployment/a -c fetcher',
    },
    {
      name: 'an image of what fetches a model that is not there',
      fleet: () => fleet({ target: `, patch: ${JSON.stringify(preparedBy('localhost/none:2'))}` }),
      code: 1,
      object: 'The image localhost/none:2 for a',
      cause: 'is not there and cannot be fetched',
      cure: 'target.image of a',
    },
    {
      name: 'a GPU that no node has',
      fleet: () => fleet({ deployment: 'gpus: 1, ' }).replace('60s', '6s'),
      code: 1,
      object: 'a did not become ready',
      cause: /Insufficient nvidia\.com\/gpu/,
      cure: 'ask for less under gpus',
    },
    {
      name: 'a node whose disk is full',
      arrange: () => pressDisk(box),
      fleet: () => fleet().replace('60s', '6s'),
      code: 1,
      object: 'a did not become ready',
      cause: /finds no node: .*disk-pressure/,
      cure: 'Free some space on the node that is full',
    },
    {
      name: 'a port of the nodes that another service has',
      arrange: () => {
        inNamespace('create', 'service', 'nodeport', 'other', '--tcp=80', '--node-port=30123');
        return () => inNamespace('delete', 'service', 'other');
      },
      fleet: () => fleet({ target: ', service: {type: NodePort, nodePort: 30123}' }),
      code: 1,
      object: 'apply Service a',
      cause: 'port is already allocated',
      cure: 'Correct what it names',
    },
    {
      name: 'a cluster without KServe',
      unseen: true,
      // Another test of this run may have taught the shared cluster KServe's kinds.
      arrange: () => {
        const kinds = ['inferenceservices', 'servingruntimes'].map((kind) => `${kind}.serving.kserve.io`);
        box.kubectl('delete', 'crd', ...kinds, '--ignore-not-found');
      },
      fleet: () =>
        fleet({ model: './m.gguf, at: {box: {pvc: weights, path: m.gguf}}' }).replace(
          /target: .*$/m,
          `target: {kind: kserve, image: "${kubeImage}", entrypoint: ${entrypoint}}}`,
        ),
      code: 1,
      object: 'does not know the kind of',
      cause: 'ServingRuntime',
      cure: 'Install what defines it',
    },
    {
      name: 'an object of that name that somebody else made',
      arrange: () => {
        inNamespace('create', 'service', 'clusterip', 'a', '--tcp=80');
        return () => inNamespace('delete', 'service', 'a');
      },
      fleet: () => fleet(),
      code: 1,
      object: 'Service a, which a needs',
      cause: 'was not made by berth',
      cure: 'Rename the deployment or remove that object',
    },
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });

  function traces(): string[] {
    const kinds = 'deployments,services,secrets,ingresses,networkpolicies';
    return inNamespace('get', kinds, '-o', 'name').split('\n').filter(Boolean);
  }
});
