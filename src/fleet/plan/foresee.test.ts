import { expect, test } from 'vitest';
import { faultLines, fleetDeployments, fleetFindings } from '../../../test/support/fleet-faults.ts';

const head = `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, box: {}}
models: {m: {source: /m/m.gguf}}
`;

test('a model that two deployments serve is told by where both hold it', async () => {
  async function told(host: string): Promise<string[]> {
    const one = `{model: m, host: ${host}, engine: {kind: llama.cpp}}`;
    const findings = await fleetFindings(`${head}deployments: {a: ${one}, b: ${one}}`);
    return findings.filter(({ rule }) => rule === 'duplicate').map(({ message }) => message);
  }
  expect(await told('box')).toEqual(['a and b serve the same model on one machine: each holds all of it.']);
  expect(await told('k')).toEqual([
    'a and b serve the same model in one namespace of a cluster: each holds all of it.',
  ]);
});

test('an engine with models of its own is given none: not by the defaults, and one of its own is a fault', async () => {
  const text = `${head}defaults: {model: m, host: box}
deployments:
  a: {engine: {kind: llama.cpp}}
  b: {engine: {kind: llama-router, modelsDir: /m}}
  c: {engine: {kind: llama-router, modelsDir: /n, modelsMax: 2}}`;
  expect((await fleetDeployments(text)).map(({ name, model }) => [name, model?.path ?? null])).toEqual([
    ['a', '/m/m.gguf'],
    ['b', null],
    ['c', null],
  ]);
  expect((await fleetFindings(text)).map(({ rule }) => rule)).not.toContain('duplicate');
  expect(await faultLines(text.replace('c: {', 'c: {model: m, '))).toEqual([
    '9:7 deployments.c.model: "model" has no meaning here: an engine of kind llama-router has models of its own. Remove it; the options of the engine name its models.',
  ]);
});

async function rulesOf(target: string, more = '', model = 'm'): Promise<string[]> {
  const findings = await fleetFindings(
    `${head.trim().replace('{m: {', '{c: {source: "hf://o/n", at: {k: {pvc: w, fetch: {size: 9Gi}}}}, m: {')}
deployments: {a: {model: ${model}, host: k, ${more}engine: {kind: vllm, accelerator: cpu}, target: {kind: kubernetes, image: "e:1", ${target}}}}`,
  );
  return findings
    .filter(({ rule }) => ['volume-of-one-node', 'shut-out'].includes(rule))
    .map(({ rule, evidence, cure }) => `${rule}: ${evidence.join(', ')}. ${cure}`);
}

const scaled = 'autoscale: {max: 3, metric: x, average: 1}';

test('pods that may lie on several nodes beside a volume of one node are told with the cure', async () => {
  expect(await rulesOf(`${scaled}, cache: {size: 1Gi}`)).toEqual([
    expect.stringMatching(
      /^volume-of-one-node: target\.cache\.access ReadWriteOnce, 3 pods\. Write access: ReadWriteMany under target\.cache/,
    ),
  ]);
  expect(await rulesOf(`${scaled}, cache: {size: 1Gi, access: ReadWriteMany}`)).toEqual([]);
  expect(await rulesOf(`${scaled}, cache: {size: 1Gi}, node: n1`)).toEqual([]);
  expect(await rulesOf(`cache: {size: 1Gi}`, 'replicas: 3, ')).toEqual([]);
  expect(await rulesOf(scaled)).toEqual([]);
  expect(await rulesOf('', 'replicas: 2, ', 'c')).toEqual([
    expect.stringContaining('models.NAME.at.HOST.fetch.access ReadWriteOnce, 2 pods.'),
  ]);
  expect(await rulesOf('', '', 'c')).toEqual([]);
});

test('deployments that share a claim of one node are told, but where all of them are kept on that node', async () => {
  async function shared(a: string, b: string, access = ''): Promise<string[]> {
    function fetched(name: string): string {
      return `${name}: {source: "hf://o/${name}", at: {k: {pvc: w, path: ${name}, fetch: {size: 9Gi${access}}}}}`;
    }
    const one = 'host: k, engine: {kind: vllm, accelerator: cpu}, target: {kind: kubernetes, image: "e:1"';
    const findings =
      await fleetFindings(`${head.trim().replace('{m: {', `{${fetched('c')}, ${fetched('d')}, m: {`)}
deployments: {a: {model: c, ${one}${a}}}, b: {model: d, ${one}${b}}}}`);
    return findings.filter(({ rule }) => rule === 'volume-of-one-node').map(({ message }) => message);
  }
  expect(await shared('', '')).toEqual([
    'a and b share the claim w, which is of one node at a time (ReadWriteOnce): a pod of theirs that gets another node never starts.',
  ]);
  expect(await shared(', node: n1', ', node: n2')).toHaveLength(1);
  expect(await shared(', node: n1', '')).toHaveLength(1);
  expect(await shared(', node: n1', ', node: n1')).toEqual([]);
  expect(await shared('', '', ', access: ReadWriteMany')).toEqual([]);
});

test('who asks from elsewhere and is not among those that may is told with the line that lets him in', async () => {
  const own = 'allowFrom: [{pods: {app: x}}]';
  expect(await rulesOf(`${own}, ingress: {class: traefik, host: h}, monitor: {}`)).toEqual([
    'shut-out: target.allowFrom, target.monitor. Write from: {namespace: {kubernetes.io/metadata.name: monitoring}} under target.monitor, with the namespace that Prometheus runs in.',
    'shut-out: target.allowFrom, target.ingress. Write from: {namespace: {kubernetes.io/metadata.name: traefik}} under target.ingress, with the namespace that its controller runs in.',
  ]);
  const route = 'httpRoute: {gateway: g, gatewayNamespace: infra';
  expect(await rulesOf(`${own}, ${route}}`)).toEqual([
    expect.stringContaining('{kubernetes.io/metadata.name: infra}} under target.httpRoute'),
  ]);
  expect(await rulesOf(`${own}, ${route}, from: {namespace: {a: b}}}`)).toEqual([]);
  expect(await rulesOf('ingress: {host: h}, monitor: {}')).toEqual([]);
});
