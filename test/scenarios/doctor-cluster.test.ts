import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { doctorIn, toolIn, verdictsOf } from '../support/doctored.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

const of = verdictsOf;

function tool(name: string, answers: Parameters<typeof toolIn>[2]): void {
  toolIn(place, name, answers);
}

function doctor(...args: string[]): ReturnType<typeof doctorIn> {
  return doctorIn(place, ...args);
}

test('a cluster is looked at through its kubectl: rights, GPUs, storage and KServe', async () => {
  const openshift = { metadata: { name: 'securitycontextconstraints.security.openshift.io' } };
  const node = { metadata: { name: 'gpu1' }, status: { allocatable: { cpu: '8', 'nvidia.com/gpu': '4' } } };
  const crd = {
    metadata: { name: 'inferenceservices.serving.kserve.io' },
    spec: { versions: [{ name: 'v1beta1' }] },
  };
  function list(...items: object[]): string {
    return JSON.stringify({ items });
  }
  tool('kubectl', [
    ['"version -o json"*', JSON.stringify({ serverVersion: { gitVersion: 'v1.31.2' } })],
    ['"get nodes"*', list(node)],
    ['"get storageclasses"*', list({ metadata: { name: 'local-path' } })],
    ['"get customresourcedefinitions"*', list(crd, openshift)],
    ['"auth can-i create secrets"*', 'no\n', 1],
    ['"auth can-i"*', 'yes\n'],
  ]);
  place.write('apiVersion: v1\nkind: Config\n', 'kubeconfig');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  const { found } = await doctor();
  expect(of(found, 'kubernetes').map(({ state, message }) => `${state}: ${message}`)).toEqual([
    'good: The cluster answers, version v1.31.2.',
    'warning: This user may not create secrets there.',
    'good: Nodes have GPUs to give.',
    'warning: No class of storage is the default: claims that name none wait for ever.',
    'good: KServe is installed (v1beta1); its version is not shown.',
  ]);
  tool('kubectl', [['*', 'The connection to the server localhost:8080 was refused\n', 1]]);
  expect(of((await doctor()).found, 'kubernetes')[0]).toMatchObject({
    state: 'warning',
    message: 'The cluster does not answer.',
  });
});

test('a host that is a cluster is asked by its own context and namespace, and by no check of machines', async () => {
  tool('kubectl', [
    [
      '"version -o json --context=lab --namespace=llm --request-timeout=8s"',
      JSON.stringify({ serverVersion: { gitVersion: 'v1.31.2' } }),
    ],
    ['"get "*"--context=lab --namespace=llm"*', '{"items":[]}'],
    ['"auth can-i create configmaps"*', 'no\n', 1],
    ['"auth can-i"*"--context=lab --namespace=llm"*', 'yes\n'],
  ]);
  place.write('apiVersion: v1\nkind: Config\n', 'kubeconfig');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  place.write(`version: 1
fleet: lab
hosts: {k3s: {kubernetes: {context: lab, namespace: llm}}}
models: {m: {source: /srv/models/m.gguf}}
deployments: {a: {model: m, engine: {kind: llama.cpp}, target: {kind: kubernetes}}}
`);
  const { found } = await doctor('k3s');
  expect([...new Set(found.hosts[0]?.checks.map(({ check }) => check))]).toEqual(['kubernetes']);
  expect(of(found, 'kubernetes')[0]?.message).toBe('The cluster answers, version v1.31.2.');
  // Only files that engines are given want a ConfigMap.
  expect(JSON.stringify(found)).not.toContain('configmaps');
  place.write('{{ messages }}', 'chat.jinja');
  const file = join(place.folder, 'berth.yaml');
  place.write(readFileSync(file, 'utf8').replace('llama.cpp', 'llama.cpp, chatTemplateFile: chat.jinja'));
  const told = of((await doctor('k3s')).found, 'kubernetes').map(({ message }) => message);
  expect(told).toContain('This user may not create configmaps there.');
  place.env['KUBECONFIG'] = '/nowhere/kubeconfig';
  const lost = await doctor('k3s');
  expect(lost.code).toBe(8);
  expect(of(lost.found, 'kubernetes')[0]?.evidence).toEqual(['no file /nowhere/kubeconfig']);
});

const onCluster = `version: 1
fleet: lab
hosts: {k3s: {kubernetes: {context: lab, namespace: llm}}}
models: {m: {source: /srv/models/m.gguf}}
deployments: {a: {model: m, engine: {kind: llama.cpp}, target: {kind: kubernetes}}}
`;

test('a context that the kubeconfig lacks is told as that, and not as a cluster that is silent', async () => {
  tool('kubectl', [['*', '', 1]]);
  const folder = join(place.folder, 'tools');
  writeFileSync(
    join(folder, 'kubectl'),
    '#!/bin/sh\necho \'error: context "lab" does not exist\' >&2; exit 1\n',
  );
  place.write('apiVersion: v1\nkind: Config\n', 'kubeconfig');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  place.write(onCluster);
  const [told] = of((await doctor('k3s')).found, 'kubernetes');
  expect(told).toMatchObject({ state: 'critical', message: 'The kubeconfig has no context lab.' });
  expect(told?.cure).toContain('kubectl config get-contexts');
});

test('who may not take the lock of the namespace can change nothing there; in a pod its account is the way in', async () => {
  tool('kubectl', [
    ['"version -o json"*', JSON.stringify({ serverVersion: { gitVersion: 'v1.31.2' } })],
    ['"get "*', '{"items":[]}'],
    ['"auth can-i update leases"*', 'no\n', 1],
    ['"auth can-i"*', 'yes\n'],
  ]);
  place.env['HOME'] = place.folder;
  place.env['KUBERNETES_SERVICE_HOST'] = '10.43.0.1';
  delete place.env['KUBECONFIG'];
  place.write(onCluster.replace('context: lab', 'context: in-cluster'));
  const told = of((await doctor('k3s')).found, 'kubernetes');
  expect(told[0]).toMatchObject({ state: 'good', evidence: ['the account of this pod'] });
  expect(told[1]).toMatchObject({
    state: 'critical',
    message: 'This user may not update leases.coordination.k8s.io there.',
  });
});

test('a fleet that wants KServe and GPUs of a cluster that has neither cannot run there', async () => {
  const lists: Record<string, object[]> = {
    nodes: [{ metadata: { name: 'plain' }, status: { allocatable: { cpu: '8' } } }],
    clusterpolicies: [{ metadata: { name: 'cluster-policy' }, status: { state: 'notReady' } }],
    storageclasses: [],
    customresourcedefinitions: [],
    deployments: [],
  };
  function cluster(): void {
    tool('kubectl', [
      ['"version -o json"*', JSON.stringify({ serverVersion: { gitVersion: 'v1.31.2' } })],
      ...Object.entries(lists).map(([what, items]) => [`"get ${what}"*`, JSON.stringify({ items })] as const),
      ['"auth can-i patch inferenceservices"*', 'no\n', 1],
      ['"auth can-i"*', 'yes\n'],
    ]);
  }
  cluster();
  place.write('apiVersion: v1\nkind: Config\n', 'kubeconfig');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  place.write(`version: 1
fleet: lab
hosts: {k3s: {kubernetes: {context: lab, namespace: llm}}}
models: {m: {source: "hf://a/b"}}
deployments: {a: {model: m, replicas: 2, gpus: 2, engine: {kind: vllm}, target: {kind: kserve}}}
`);
  const without = await doctor('k3s');
  expect(without.code).toBe(8);
  expect(of(without.found, 'kubernetes').map(({ state, message }) => `${state}: ${message}`)).toEqual([
    'good: The cluster answers, version v1.31.2.',
    'critical: This user may not patch inferenceservices.serving.kserve.io there.',
    'critical: The GPU Operator of NVIDIA is not ready.',
    'critical: The engines there want 4 GPUs, and no node has one to give.',
    'warning: No class of storage is the default: claims that name none wait for ever.',
    'critical: The fleet wants KServe, and the cluster does not have it.',
  ]);
  lists['nodes'] = [{ metadata: { name: 'gpu1' }, status: { allocatable: { 'nvidia.com/gpu': '2' } } }];
  lists['clusterpolicies'] = [{ metadata: { name: 'cluster-policy' }, status: { state: 'ready' } }];
  lists['customresourcedefinitions'] = [
    {
      metadata: { name: 'inferenceservices.serving.kserve.io' },
      spec: { versions: [{ name: 'v1beta1' }] },
    },
  ];
  const containers = [{ image: 'docker.io/kserve/kserve-controller:v0.15.2@sha256:12' }];
  lists['deployments'] = [
    { metadata: { name: 'kserve-controller-manager' }, spec: { template: { spec: { containers } } } },
  ];
  cluster();
  const withThem = of((await doctor('k3s')).found, 'kubernetes').map(({ message }) => message);
  expect(withThem.join()).not.toContain('OpenShift');
  expect(withThem).toEqual(
    expect.arrayContaining([
      'The GPU Operator of NVIDIA is ready.',
      'The engines there want 4 GPUs, and nodes have 2 to give.',
      'KServe v0.15.2 is installed (v1beta1).',
    ]),
  );
});

test('an OpenShift that the file does not tell of is warned of, and KServe of OpenShift AI is told by its release', async () => {
  const crds = ['inferenceservices.serving.kserve.io', 'securitycontextconstraints.security.openshift.io'];
  const definitions = crds.map((name) => ({ metadata: { name }, spec: { versions: [{ name: 'v1' }] } }));
  const releases = [{ name: 'KServe', version: 'v0.15.0', repoUrl: 'https://github.com/kserve/kserve' }];
  const containers = [{ image: 'registry.lab/odh-kserve-controller-rhel9@sha256:12' }];
  const lists: Record<string, object[]> = {
    customresourcedefinitions: definitions,
    deployments: [
      { metadata: { name: 'kserve-controller-manager' }, spec: { template: { spec: { containers } } } },
    ],
    'kserves.components.platform.opendatahub.io': [
      { metadata: { name: 'default-kserve' }, status: { releases } },
    ],
  };
  tool('kubectl', [
    ['"version -o json"*', JSON.stringify({ serverVersion: { gitVersion: 'v1.31.2' } })],
    ...Object.entries(lists).map(([what, items]) => [`"get ${what}"*`, JSON.stringify({ items })] as const),
    ['"get "*', '{"items":[]}'],
    ['"auth can-i"*', 'yes\n'],
  ]);
  place.write('apiVersion: v1\nkind: Config\n', 'kubeconfig');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  async function told(openshift: string): Promise<string[]> {
    place.write(`version: 1
fleet: lab
hosts: {ocp: {kubernetes: {context: ocp, namespace: llm${openshift}}}}
models: {m: {source: "hf://a/b"}}
deployments: {a: {model: m, engine: {kind: vllm}, target: {kind: kserve}}}
`);
    return of((await doctor('ocp')).found, 'kubernetes').map(({ state, message }) => `${state}: ${message}`);
  }
  const warned = 'warning: The cluster is an OpenShift, and the fleet file does not say so.';
  expect(await told('')).toEqual(expect.arrayContaining([warned, 'good: KServe v0.15.0 is installed (v1).']));
  for (const said of ['true', 'false'])
    expect(await told(`, openshift: ${said}`)).not.toEqual(expect.arrayContaining([warned]));
});
