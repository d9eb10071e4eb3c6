import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Plan } from '../../src/domain/plan.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { canaries } from '../support/canary.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['DOCKER_HOST'] = `unix://${place.folder}/nobody.sock`;
});

afterEach(() => place.close());

async function expectValid(...more: string[]): Promise<Ran> {
  const ran = await place.berth('validate', ...more);
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  return ran;
}

async function objects(...args: string[]): Promise<KubeObject[]> {
  const ran = await place.berth('render', '--namespace', 'demo', ...args);
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  const all = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
  expect((specsFolder === undefined ? [] : all).flatMap(kubeFaults)).toEqual([]);
  return all;
}

test('a model of llama.cpp in a cluster: what it is given of a node is what its pod asks for', async () => {
  place.write(`version: 1
fleet: lab
hosts: {k3s: {kubernetes: {context: default, namespace: llamacpp}}}
models:
  orca:
    source: "hf://TheBloke/Mistral-7B-OpenOrca-GGUF:Q5_K_M"
    at: {k3s: {hostPath: /srv/models, node: node1, path: mistral-7b-openorca.Q5_K_M.gguf}}
deployments:
  orca:
    model: orca
    host: k3s
    port: 8081
    engine: {kind: llama.cpp, accelerator: cpu, slots: 2, context: 4096, batch: 512}
    target: {kind: kubernetes, image: "ghcr.io/ggml-org/llama.cpp:server-b6000", ingress: {class: traefik, host: llm.lab}}
    resources: {requests: {cpu: 500m, memory: 6Gi}, limits: {cpu: 4, memory: 12Gi}}
benchmarks:
  seed: {of: orca, profile: {kind: concurrent, streams: [1, 2]}, maxTokens: 100, temperature: 0.7, keepOutputs: true}
`);
  await expectValid();
  const pod = podOf(await objects('--format', 'kubernetes'), 'Deployment', 'orca');
  expect(pod.containers[0]?.['resources']).toEqual({
    requests: { cpu: '500m', memory: '6Gi' },
    limits: { cpu: '4', memory: '12Gi' },
  });
  // Threads beyond the limit would only be stopped: the limit counts, as one of the cores is left to others.
  expect(JSON.stringify(pod.containers[0]?.['args'])).toMatch(/"--threads","[34]"/);
  expect(pod.volumes).toContainEqual({
    name: 'model',
    hostPath: { path: '/srv/models/mistral-7b-openorca.Q5_K_M.gguf', type: 'File' },
  });
});

test('one machine with two units, one that sees images: limits in the unit, a port that stays free, a rule left out for a time', async () => {
  mkdirSync(join(place.folder, 'models'));
  for (const name of ['kimi.gguf', 'mmproj.gguf', 'mistral.gguf'])
    writeFileSync(join(place.folder, 'models', name), 'GGUF');
  place.write(`version: 1
fleet: lab
hosts: {box: {local: true, become: sudo, ports: 8080-8099, reserve: [8082]}}
models:
  kimi: {source: models/kimi.gguf, mmproj: models/mmproj.gguf}
  mistral: {source: models/mistral.gguf}
deployments:
  kimi: {model: kimi, host: box, port: 8080, gpus: 1, resources: {requests: {memory: 8Gi}, limits: {cpu: 6, memory: 16Gi}}, target: {kind: systemd, unit: llamacpp-kimi}, engine: {kind: llama.cpp, binary: /opt/llama-server, gpuLayers: 45, slots: 4, context: 4096}}
  mistral: {model: mistral, host: box, target: {kind: systemd}, engine: {kind: llama.cpp, binary: /opt/llama-server, slots: 2, context: 4096}}
gateway: {listen: ["127.0.0.1:8484"], routes: {kimi-vl: {to: kimi, hold: 5m}, mistral-7b: {to: mistral, hold: 5m}}}
benchmarks: {nightly: {of: kimi, profile: {kind: synchronous}, schedule: "30 3 * * 1-5"}}
audit: {suppress: [{rule: tls-off, object: kimi, reason: reached by a private net alone, until: 2027-03-01}]}
`);
  await expectValid();
  const ran = await place.berth('render', '--format', 'systemd');
  expect(ran.code, ran.stderr).toBe(0);
  for (const line of [
    'MemoryLow=8G',
    'MemoryMax=16G',
    'CPUQuota=600%',
    'OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 03:30:00',
  ])
    expect(ran.stdout).toContain(`${line}\n`);
  expect(ran.stdout).toContain('ExecStart="berth" "bench" "nightly" "--file" "/etc/berth/lab.yaml"');
  // 8080 is pinned, 8082 reserved.
  expect(ran.stdout).toContain('"--port" "8081"');
});

interface Compose {
  readonly services: Record<string, Record<string, unknown>>;
  readonly secrets: object;
}

test('a rented machine with GPUs by ssh: the token of the hub is one secret for two models', async () => {
  const found = canaries();
  place.env['HF_TOKEN'] = found.make('hub');
  place.write(`version: 1
fleet: rented
hosts: {a10: {ssh: opc@a10, become: sudo, ports: 8000-8009}, bm: {ssh: opc@a10x4, ports: 8000-8009}}
secrets: {hf: "\${env:HF_TOKEN}"}
models:
  mistral: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: hf}
  mixtral: {source: "hf://TheBloke/mixtral-8x7b-v0.1-AWQ", secret: hf}
deployments:
  mistral: {model: mistral, host: a10, port: 8000, gpus: 1, target: {kind: docker, image: "vllm/vllm-openai:v0.18.0"}, engine: {kind: vllm}}
  mixtral: {model: mixtral, host: bm, port: 8000, gpus: 4, target: {kind: docker, shm: 8Gi}, engine: {kind: vllm, quantization: awq, tensorParallel: 4, gpuMemoryUtilization: 0.95, enforceEager: true}}
gateway: {routes: {"mistralai/Mistral-7B-Instruct-v0.2": mistral}}
`);
  await expectValid();
  const together = await place.berth('render', '--format', 'compose');
  expect([together.code, together.stderr]).toEqual([2, expect.stringContaining('--host')]);
  const a10 = await place.berth('render', '--format', 'compose', '--host', 'a10');
  const bm = await place.berth('render', '--format', 'compose', '--host', 'bm');
  const [file, other] = [a10, bm].map(({ stdout }) => parse(stdout) as Compose);
  expect(file?.secrets).toEqual({ 'mistral-hub': { environment: 'HF_TOKEN' } });
  expect(other?.secrets).toEqual({ 'mixtral-hub': { environment: 'HF_TOKEN' } });
  expect(other?.services['mixtral']?.['shm_size']).toBe(8 * 1024 ** 3);
  expect(found.in([a10, bm].map((ran) => ran.stdout + ran.stderr).join('\n'))).toEqual([]);
});

const openshift = `version: 1
fleet: demo
hosts: {ocp: {kubernetes: {context: ocp, namespace: demo, createNamespace: true}}}
secrets: {hf: {secretRef: {name: huggingface-secret, key: HF_TOKEN}}, s3: {secretRef: {name: minio-connection}}}
models:
  small: {source: "hf://RedHatAI/Mistral-Small-24B-Instruct-2501-quantized.w4a16", secret: hf}
  claimed: {source: "hf://RedHatAI/Mistral-Small-24B-Instruct-2501-quantized.w4a16", secret: hf, at: {ocp: {pvc: m24q}}}
  full: {source: "s3://models/mistral-24b", secret: s3}
defaults: {host: ocp, target: {kind: kserve, mode: RawDeployment, runtime: {create: vllm-cuda}, route: {tls: edge}}}
deployments:
  quantized: {model: claimed, gpus: 1, engine: {kind: vllm, context: 8192, maxSeqs: 16}, target: {nodeSelector: {node.kubernetes.io/instance-type: g6.4xlarge}}}
  fetched: {model: small, gpus: 1, engine: {kind: vllm}}
  full: {model: full, gpus: 4, resources: {limits: {memory: 96Gi}}, limits: {rps: 10}, engine: {kind: vllm, tensorParallel: 4, dtype: bfloat16, maxSeqs: 24}, target: {nodeSelector: {node.kubernetes.io/instance-type: g6.12xlarge}}}
`;

test('two variants by KServe: defaults and what a deployment says are one target, and secrets are the names of Secrets', async () => {
  place.write(openshift);
  await expectValid();
  const all = await objects('--format', 'kserve');
  expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
    expect.arrayContaining([
      'ServingRuntime vllm-cuda',
      'InferenceService full',
      'InferenceService quantized',
    ]),
  );
  const full = predictorOf(all, 'full');
  expect(full).toMatchObject({ nodeSelector: { 'node.kubernetes.io/instance-type': 'g6.12xlarge' } });
  expect(full.model).toMatchObject({
    runtime: 'vllm-cuda',
    storage: { key: 'minio-connection', path: 'mistral-24b', parameters: { bucket: 'models' } },
    resources: { limits: { memory: '96Gi', 'nvidia.com/gpu': '4' } },
  });
  expect(full.model).not.toHaveProperty('storageUri');
  // What lies in a claim is fetched by nobody, with no token.
  expect(predictorOf(all, 'quantized').model).toMatchObject({ storageUri: 'pvc://m24q/' });
  expect(JSON.stringify(predictorOf(all, 'quantized'))).not.toContain('huggingface-secret');
  const fetched = predictorOf(all, 'fetched');
  expect(fetched.model['env']).toContainEqual({ name: 'HF_TOKEN_PATH', value: '/run/secrets/berth/hub' });
  expect(fetched.volumes).toContainEqual({
    name: 'secrets',
    projected: {
      defaultMode: 0o440,
      sources: [{ secret: { name: 'huggingface-secret', items: [{ key: 'HF_TOKEN', path: 'hub' }] } }],
    },
  });
});

test('limits of a model below gateway.limits are told where they are written', async () => {
  place.write(`${openshift}gateway: {limits: {full: {rps: 10}, quue: 5}}\n`);
  const ran = await place.berth('validate');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('deployments.full.limits: {rps: 5}');
  expect(ran.stderr).toContain('Did you mean "queue"?');
});

test('its benchmark runs in the cluster by night, keeps its runs in a claim and tells a registry and S3', async () => {
  place.write(openshift, 'stage1.yaml');
  place.write('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', 'ca.crt');
  place.write(`version: 1
fleet: demo
imports: [./stage1.yaml]
secrets: {registry: {serviceAccount: ai-workload-sa}}
publishers:
  registry: {kind: model-registry, url: "https://registry.models.svc:8443", caFile: ./ca.crt, auth: registry, as: [properties, description]}
  s3: {kind: s3, bucket: results, endpoint: "https://minio:9000", secret: s3}
benchmarks:
  levels:
    of: [quantized, full]
    profile: {kind: concurrent, streams: [1, 5, 10, 25]}
    seconds: 120
    warmup: 20
    data: {prompt: 256, output: 256}
    runsOn: ocp
    image: "registry.lab/berth:1"
    results: {pvc: bench}
    schedule: "0 2 * * *"
    price: {from: catalog}
    publish: [registry, s3]
experiments:
  quant: {arms: {full: full, w4a16: quantized}, split: [50, 50], metric: ttft_p95}
`);
  await expectValid();
  const all = await objects('levels', '--format', 'kserve');
  expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Namespace demo',
    'ConfigMap bench-levels',
    'CronJob bench-levels',
  ]);
  const [, map, cron] = all as [KubeObject, KubeObject, KubeObject];
  expect(cron).toMatchObject({ spec: { schedule: '0 2 * * *', concurrencyPolicy: 'Forbid' } });
  const { spec } = (cron as unknown as { spec: { jobTemplate: { spec: { template: { spec: Pod } } } } }).spec
    .jobTemplate.spec.template;
  expect(spec).toMatchObject({ serviceAccountName: 'ai-workload-sa', restartPolicy: 'Never' });
  expect(spec.containers[0]).toMatchObject({
    image: 'registry.lab/berth:1',
    envFrom: [{ secretRef: { name: 'minio-connection' } }],
  });
  expect(spec.volumes).toContainEqual({ name: 'results', persistentVolumeClaim: { claimName: 'bench' } });
  expect(spec.volumes).toContainEqual({
    name: 'secrets',
    projected: {
      defaultMode: 0o440,
      sources: [{ serviceAccountToken: { path: 'registry', expirationSeconds: 3600 } }],
    },
  });
  const data = map['data'] as Record<string, string>;
  // The very file that the pod reads is a fleet file that berth takes.
  mkdirSync(join(place.folder, 'pod'));
  for (const [name, text] of Object.entries(data)) place.write(text, `pod/${name}`);
  const inside = (data['berth.yaml'] ?? '')
    .replace('/run/secrets/berth/registry', join(place.folder, 'token'))
    .replace('/etc/berth/ca-registry.crt', './ca-registry.crt');
  place.write('a token', 'token');
  place.write(inside, 'pod/berth.yaml');
  await expectValid('--file', 'pod/berth.yaml');
  expect(parse(inside)).toMatchObject({
    hosts: {
      'price-of-full': { price: { hour: 4.6016 } },
      'price-of-quantized': { price: { hour: 1.3232 } },
    },
    deployments: { full: { engine: { kind: 'openai', url: 'http://full-predictor.demo.svc' } } },
    benchmarks: {
      levels: { of: ['quantized', 'full'], price: { from: 'host' }, publish: ['registry', 's3'] },
    },
  });
  // From here it is not measured under its name.
  const here = await place.berth('bench', 'levels', '--max-seconds', '5');
  expect([here.code, here.stderr]).toEqual([2, expect.stringContaining('runs on ocp, not here')]);
});

test('a Secret of a cluster is refused wherever no pod reads it, with what to write', async () => {
  place.write(`version: 1
fleet: lab
hosts: {box: {local: true}, ocp: {kubernetes: {context: ocp}}}
secrets: {hub: {secretRef: {name: hub-secret, key: token}}, all: {secretRef: {name: hub-secret}}}
models: {a: {source: "hf://a/b", secret: hub}, b: {source: "hf://a/b", secret: all}}
publishers: {s3: {kind: s3, bucket: results, secret: all}}
deployments:
  a: {model: a, host: box, engine: {kind: vllm}}
  b: {model: b, host: ocp, engine: {kind: vllm}, gpus: 1}
  c: {host: box, engine: {kind: openai, url: "http://127.0.0.1:9", key: hub}}
gateway: {keys: {me: hub}}
benchmarks:
  x: {of: a, profile: {kind: synchronous}, publish: [s3, s4], price: {from: catalog}, results: {pvc: p}}
  y: {of: b, profile: {kind: synchronous}, runsOn: moon, schedule: "0 25 * * *", price: {from: host}}
`);
  const ran = await place.berth('validate');
  expect(ran.code).toBe(2);
  for (const text of [
    'models.a.secret: A Secret of a cluster is given to its pods alone, and host box is a machine.',
    'models.b.secret: This is all of a Secret, and one of its values is wanted.',
    'deployments.c.engine.key: A Secret of a cluster is given to its pods alone, and the gateway runs on this machine.',
    'gateway.keys.me: A Secret of a cluster is given to its pods alone',
    'benchmarks.x.publish.0: The publisher s3 wants a Secret of a cluster',
    'benchmarks.x.publish.1: There is no publisher "s4".',
    'benchmarks.x.price.from: The instance type of a is not known',
    'benchmarks.x.results: "results" has no meaning here',
    'benchmarks.y.runsOn: There is no host "moon".',
    'benchmarks.y.schedule: "25" is no hour.',
    'benchmarks.y.price.from: Host ocp has no price.',
  ])
    expect(ran.stderr).toContain(text);
});

test('a variable of an engine has a secret by reference in a cluster, and is refused on a machine', async () => {
  const toy =
    'engine: {kind: command, command: [toy], env: {TOKEN: {secret: hub}, KEY: {secret: own}, LOG: info}}';
  const text = `version: 1
fleet: lab
hosts: {box: {local: true}, ocp: {kubernetes: {context: ocp}}}
secrets: {hub: {secretRef: {name: hub-secret, key: token}}, own: "\${env:TOY_KEY}"}
deployments: {a: {host: ocp, ${toy}, target: {kind: kubernetes, image: "toy:1"}}}
`;
  place.write(text);
  expect((await place.berth('validate')).stderr).toContain('The environment variable TOY_KEY is not set.');
  place.env['TOY_KEY'] = 'hush';
  const rendered = await place.berth('render', '--format', 'kubernetes');
  expect(rendered.code, rendered.stderr).toBe(0);
  const all = parseAllDocuments(rendered.stdout).map((one) => one.toJS() as KubeObject);
  expect((specsFolder === undefined ? [] : all).flatMap(kubeFaults)).toEqual([]);
  expect(podOf(all, 'Deployment', 'a').containers[0]?.['env']).toEqual([
    { name: 'LOG', value: 'info' },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hub-secret', key: 'token' } } },
    { name: 'KEY', valueFrom: { secretKeyRef: { name: 'a-secrets', key: 'env-KEY' } } },
  ]);
  expect(rendered.stderr).toContain('"env-KEY=${TOY_KEY:?}"');
  expect(rendered.stdout + rendered.stderr).not.toContain('hush');
  place.write(
    text.replace('host: ocp', 'host: box').replace(', target: {kind: kubernetes, image: "toy:1"}', ''),
  );
  const machine = await place.berth('plan');
  expect(machine.stdout + machine.stderr).toContain('a secret in the variable');
});

test('bounds that nobody holds are told, as those that stand below target are', async () => {
  place.write(`version: 1
fleet: lab
deployments: {a: {resources: {limits: {memory: 4Gi}}, engine: {kind: command, command: [sleep, "9"]}}}
`);
  const plan = (await place.berth('plan', '--json')).json() as Plan;
  expect(plan.findings).toContainEqual(expect.objectContaining({ rule: 'resources-not-held', object: 'a' }));
  place.write(`version: 1
fleet: lab
deployments: {a: {target: {kind: systemd, memory: 12G}, engine: {kind: command, command: [sleep, "9"]}}}
`);
  const ran = await place.berth('validate');
  expect(ran.stderr).toContain('Write it beside target, which holds for every kind: resources:');
});

interface Pod {
  readonly containers: readonly Record<string, unknown>[];
  readonly volumes: readonly unknown[];
}

function named(all: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = all.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

function podOf(all: readonly KubeObject[], kind: string, name: string): Pod {
  return (named(all, kind, name)['spec'] as { template: { spec: Pod } }).template.spec;
}

function predictorOf(
  all: readonly KubeObject[],
  name: string,
): { model: Record<string, unknown>; volumes: readonly unknown[] } {
  const service = named(all, 'InferenceService', name);
  return (service['spec'] as { predictor: ReturnType<typeof predictorOf> }).predictor;
}
