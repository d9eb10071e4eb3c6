import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

interface Examined {
  readonly worst: string;
  readonly hosts: {
    readonly host: string;
    readonly checks: {
      check: string;
      state: string;
      message: string;
      evidence: string[];
      cure: string | null;
    }[];
  }[];
}

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

/** Programs that stand in for tools of the machine: each prints the text for its arguments, with the code behind it. */
function tool(
  name: string,
  answers: readonly (readonly [args: string, text: string, code?: number])[],
): void {
  const folder = join(place.folder, 'tools');
  mkdirSync(folder, { recursive: true });
  const cases = answers.map(([args, text, code = 0], i) => {
    writeFileSync(join(folder, `${name}.${i}`), text);
    return `  ${args}) cat "$here/${name}.${i}"; exit ${code};;`;
  });
  const script = `#!/bin/sh\nhere=$(dirname "$0")\ncase "$*" in\n${cases.join('\n')}\n  *) echo "unexpected: $*" >&2; exit 9;;\nesac\n`;
  writeFileSync(join(folder, name), script);
  chmodSync(join(folder, name), 0o755);
  if (!place.env['PATH']?.startsWith(folder)) place.env['PATH'] = `${folder}:${place.env['PATH'] ?? ''}`;
}

async function doctor(...args: string[]): Promise<{ code: number | null; found: Examined }> {
  const ran = await place.berth('doctor', '--json', ...args);
  return { code: ran.code, found: ran.json() };
}

function of(found: Examined, check: string): Examined['hosts'][0]['checks'] {
  return found.hosts.flatMap(({ checks }) => checks.filter((one) => one.check === check));
}

/** As nvidia-smi is documented to print the fields that are asked for. */
const twoCards = [
  '0, GPU-1f2e, 00000000:01:00.0, NVIDIA A10, 23028, 512, 300, 3, 41, 60.1, [N/A], 550.54.15, 8.6',
  '1, GPU-2f2e, 00000000:02:00.0, NVIDIA A10, 23028, 0, 300, 0, 40, 21.0, [N/A], 550.54.15, 8.6',
  '',
].join('\n');
const page = '| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4     |\n';

test('every check is made on the machine at hand, with evidence, and a cure for what is wrong', async () => {
  const { code, found } = await doctor();
  expect(found.hosts.map(({ host }) => host)).toEqual(['local']);
  const { checks } = found.hosts[0] as Examined['hosts'][0];
  expect([...new Set(checks.map(({ check }) => check))]).toEqual(
    'cpu memory disk nvidia amd vulkan programs containers container-gpus systemd cgroups limits kernel ports kubernetes clock'.split(
      ' ',
    ),
  );
  for (const { state, message, evidence, cure } of checks) {
    const wrong = ['info', 'warning', 'critical'].includes(state);
    expect([
      message,
      message.endsWith('.'),
      wrong && evidence.length === 0,
      (cure !== null) === wrong,
    ]).toEqual([message, true, false, true]);
  }
  expect(code).toBe(found.worst === 'critical' ? 8 : 0);
  const text = await place.berth('doctor', '--all');
  for (const { message } of checks.filter((one) => one.check !== 'memory' && one.check !== 'disk'))
    expect(text.stdout).toContain(message);
});

test('what the fleet file wants and the machine lacks is critical and ends with code 8', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => void server.once('listening', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const [free = 0] = await freePorts(1);
  place.write(`version: 1
fleet: lab
hosts: {box: {ports: ${free}-${free + 3}}}
models: {m: {source: ./m.gguf}}
gateway: {listen: ["127.0.0.1:${port}"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {model: m, host: box, engine: {kind: llama.cpp, binary: no-such-llama-server}}
  b: {model: m, host: box, engine: {kind: vllm}, target: {kind: docker}}
`);
  place.env['DOCKER_HOST'] = `unix://${place.folder}/nobody.sock`;
  const { code, found } = await doctor('box');
  expect(code).toBe(8);
  expect(of(found, 'programs')).toEqual([
    expect.objectContaining({
      state: 'critical',
      message: 'no-such-llama-server is not here, and a needs it.',
    }),
  ]);
  expect(of(found, 'containers')[0]).toMatchObject({
    state: 'critical',
    evidence: [expect.stringContaining('nobody.sock')],
  });
  expect(of(found, 'ports')[0]).toMatchObject({
    state: 'warning',
    message: expect.stringMatching(
      new RegExp(`^Port ${port} of the gateway is held by process ${process.pid} \\(`),
    ),
  });
  const text = await place.berth('doctor');
  expect([text.code, text.stdout]).toEqual([
    8,
    expect.stringContaining('Cure: Install no-such-llama-server'),
  ]);
  const unknown = await place.berth('doctor', 'elsewhere');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining('The fleet has no host elsewhere'),
  ]);
});

test('a fleet file with faults is told, not passed over', async () => {
  place.write('version: 1\nfleet: lab\ndeployments: 4\n');
  const ran = await place.berth('doctor');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('berth.yaml:3:14')]);
});

test('GPUs of NVIDIA are told with driver and CUDA, and a deployment that wants more of them', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['-L', 'GPU 0: NVIDIA A10 (UUID: GPU-1f2e)\nGPU 1: NVIDIA A10 (UUID: GPU-2f2e)\n'],
    ['""', page],
  ]);
  place.write(`version: 1
fleet: lab
models: {m: {source: "hf://a/b"}}
deployments: {a: {model: m, gpus: 4, engine: {kind: vllm}, target: {kind: docker}}}
`);
  const { code, found } = await doctor();
  expect(code).toBe(8);
  expect(of(found, 'nvidia')).toEqual([
    expect.objectContaining({ state: 'good', message: '2 of NVIDIA, driver 550.54.15, CUDA up to 12.4.' }),
    expect.objectContaining({ state: 'critical', message: 'The engines here want 4 GPUs, and 2 are here.' }),
  ]);
});

test('a container engine that cannot hand on GPUs is told with the command that lets it', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['-L', 'GPU 0: NVIDIA A10 (UUID: GPU-1f2e)\n'],
    ['""', page],
  ]);
  const daemon = { ServerVersion: '27.1.0', Driver: 'overlay2', CgroupVersion: '2', Runtimes: { runc: {} } };
  const socket = join(place.folder, 'd.sock');
  const runtimes: Record<string, unknown>[] = [{ runc: {} }, { runc: {}, nvidia: {} }];
  let answered = 0;
  const server = http.createServer((_, reply) => {
    // Two checks ask each time.
    reply.end(JSON.stringify({ ...daemon, Runtimes: runtimes[Math.floor(answered++ / 2)] }));
  });
  server.listen(socket);
  await new Promise((done) => void server.once('listening', done));
  onTestFinished(() => void server.close());
  place.env['DOCKER_HOST'] = `unix://${socket}`;
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: "hf://a/b"}}\ndeployments: {a: {model: m, gpus: 1, engine: {kind: vllm}, target: {kind: docker}}}\n',
  );
  const without = await doctor();
  expect(of(without.found, 'container-gpus')).toEqual([
    expect.objectContaining({
      state: 'critical',
      cure: expect.stringContaining('nvidia-ctk runtime configure --runtime=docker'),
    }),
  ]);
  expect(of(without.found, 'containers')).toEqual([expect.objectContaining({ state: 'good' })]);
  const withIt = await doctor();
  expect([of(withIt.found, 'container-gpus')[0]?.state, withIt.code]).toEqual(['good', 0]);
});

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
  writeFileSync(join(folder, 'kubectl'), '#!/bin/sh\necho \'error: context "lab" does not exist\' >&2; exit 1\n');
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

test('a host that does not answer is told beside what is found of the others', async () => {
  const [closed = 0] = await freePorts(1);
  tool('ssh', [['*', '', 255]]);
  place.write(`version: 1
fleet: lab
hosts: {here: {local: true}, far: {ssh: "ssh://op@127.0.0.1:${closed}"}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {host: here, engine: {kind: command, command: [sleep, "1"]}}
  b: {host: far, engine: {kind: command, command: [sleep, "1"]}}
`);
  const { code, found } = await doctor();
  expect(code).toBe(8);
  expect(found.hosts.map(({ host }) => host).toSorted()).toEqual(['far', 'here']);
  expect(of(found, 'reach')).toEqual([
    expect.objectContaining({ state: 'critical', evidence: [expect.stringMatching(/^[A-Z_]+$/)] }),
  ]);
  expect(found.hosts.find(({ host }) => host === 'here')?.checks.length).toBeGreaterThan(5);
});

test('what is wanted of GPUs is that of all engines together, and models held in memory are by their load mode', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['*', '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4 |'],
  ]);
  place.write('', 'm.gguf');
  place.write(`version: 1
fleet: lab
models: {m: {source: ./m.gguf}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {model: m, gpus: 1, replicas: 2, engine: {kind: llama.cpp, loadMode: mlock}}
  b: {model: m, gpus: 1, engine: {kind: llama.cpp}}
`);
  const { found } = await doctor();
  expect(of(found, 'nvidia').map(({ message }) => message)).toContain(
    'The engines here want 3 GPUs, and 2 are here.',
  );
  expect(of(found, 'limits').map(({ message }) => message)).not.toContain(
    'No engine asks to hold memory (mlock).',
  );
});
