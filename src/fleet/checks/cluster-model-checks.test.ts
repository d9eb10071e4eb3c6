import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { clusterModelFaults } from './cluster-model-checks.ts';
import { kserveFaults } from './kserve-checks.ts';

function faultsOf(model: string, deployment: string, host = 'k'): string[] {
  const text = [
    'hosts: {k: {kubernetes: {}}, m: {local: {}}}',
    `models: {m: {${model}}}`,
    `deployments: {d: {host: ${host}, model: m, engine: {kind: vllm}, ${deployment}}}`,
  ];
  const { tree, faults } = readTree('berth.yaml', text.join('\n'));
  expect(faults).toEqual([]);
  if (tree === null) return [];
  const told = [...kserveFaults(tree), ...clusterModelFaults(tree)];
  expect(JSON.stringify(told)).not.toContain('s3cr3t');
  return told.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

const kserve = 'target: {kind: kserve}';
const connected = 'target: {kind: kserve, connection: {secret: minio}}';
const profiled = 'kind: kserve, dashboard: {hardwareProfile: {name: gpu}}';

test.each([
  [
    'source: "hf://a/b", at: {k: {pvc: c, fetch: {size: 5Gi}}}',
    kserve,
    '2 models.m.at.k.fetch: KServe fetches models itself',
  ],
  [
    'source: "s3://models/p", secret: "${env:S3}"',
    connected,
    '3 deployments.d.target.connection: A connection and the model',
  ],
  [
    'source: "s3://models/p", at: {k: {pvc: c}}',
    connected,
    '3 deployments.d.target.connection: A connection brings the model',
  ],
  [
    'source: "oci://r/m:1", secret: "${env:KEY}"',
    kserve,
    '2 models.m.secret: An image is fetched by its node',
  ],
  [
    'source: "hf://a/b"',
    'target: {kind: kserve, runtime: {use: theirs}, image: "r/vllm:1"}',
    '3 deployments.d.target.image: The runtime theirs is only named and has its own image',
  ],
  [
    'source: "hf://a/b"',
    'target: {kind: kserve, runtime: {use: theirs}, entrypoint: [vllm]}',
    '3 deployments.d.target.entrypoint: The runtime theirs is only named and has its own entrypoint',
  ],
  ['source: ./m', kserve, '3 deployments.d.model: Its file lies on this machine (./m)'],
  [
    'source: "s3://models/p"',
    'target: {kind: kubernetes}',
    '3 deployments.d.model: Nobody fetches s3://models/p for a pod of host k',
  ],
  [
    'source: "https://u:s3cr3t@h/m.gguf?X-Amz-Signature=s3cr3t"',
    'gpus: 1',
    '3 deployments.d.model: Nobody fetches https://h/m.gguf?… for a pod of host k',
  ],
  [
    'source: "https://u:s3cr3t@h/m.gguf", at: {k: {pvc: c, fetch: {size: 5Gi}}}',
    kserve,
    '2 models.m.at.k.fetch: KServe fetches models itself',
  ],
  ['source: "https://h/m.gguf"', 'gpus: 1', '3 deployments.d.model: Nobody fetches https://h/m.gguf'],
  [
    'source: "oci://r/m:1"',
    'target: {kind: kubernetes}',
    '3 deployments.d.model: Nobody fetches oci://r/m:1',
  ],
  [
    'source: "hf://a/b"',
    `target: {${profiled}, nodeSelector: {gpu: l4}}`,
    '3 deployments.d.target.nodeSelector: A hardware profile chooses the nodes, and so does nodeSelector.',
  ],
  [
    'source: "hf://a/b"',
    `target: {${profiled}, node: n1}`,
    '3 deployments.d.target.node: A hardware profile chooses the nodes, and so does node.',
  ],
  [
    'source: "hf://a/b"',
    'target: {kind: kserve, route: {token: true}}',
    '3 deployments.d.target.route.token: No token is asked for here.',
  ],
])('%s with %s is told by the file alone', (model, deployment, start) => {
  const [first, ...others] = faultsOf(model, deployment);
  expect(first?.slice(0, start.length)).toBe(start);
  expect(others).toEqual([]);
});

test('an image with a model is nothing that a machine can run', () => {
  expect(faultsOf('source: "oci://r/m:1"', 'gpus: 1', 'm')).toEqual([
    '3 deployments.d.model: Its files lie in an image, which KServe serves from, and host m is a machine.',
  ]);
});

test.each([
  ['source: "oci://r/m:1"', kserve],
  ['source: "s3://models/p"', connected],
  ['source: ./m, at: {k: {pvc: c}}', kserve],
  ['source: "hf://a/b"', kserve],
  ['source: "s3://models/p", at: {k: {pvc: c, fetch: {size: 5Gi}}}', 'target: {kind: kubernetes}'],
  ['source: "hf://a/b"', 'gpus: 1'],
  ['source: /srv/m', 'gpus: 1'],
  ['source: "hf://a/b"', `target: {${profiled}, nodeSelector: {}}`],
  ['source: "hf://a/b"', 'target: {kind: kserve, route: {auth: true, token: true}}'],
])('%s with %s is right', (model, deployment) => {
  expect(faultsOf(model, deployment)).toEqual([]);
});
