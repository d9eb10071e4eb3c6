import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kubeFaults, specsFolder } from '../../../test/support/kube-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { fetchRefuses } from './fetch.ts';
import type { Fetched } from './fetch-pieces.ts';
import { manifestsOf } from './manifests.ts';
import { KubernetesOptions } from './options.ts';

const fetched = {
  from: 'hf://Qwen/Qwen3-0.6B',
  claim: 'weights',
  folder: 'qwen3',
  size: '20Gi',
  access: 'ReadWriteMany' as const,
  image: 'e/fetch:1',
  entrypoint: ['/fetch'],
  secret: 'hub',
};

const spec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' } },
  args: ['serve', { hole: 'model' }],
  env: {},
  secrets: {},
  model: 'pvc://weights/qwen3',
  mmproj: null,
  fetched,
  writable: [],
  devices: { vendor: 'none', count: 0 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: '/metrics',
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
  slots: null,
  servedModel: null,
};

interface Container {
  readonly command: readonly string[];
  readonly resources: unknown;
}

interface Pods {
  readonly template: {
    readonly spec: {
      readonly containers: readonly Container[];
      readonly initContainers?: readonly Container[];
    };
  };
}

function made(replica = 0, change: Partial<Fetched> = {}): KubeObject[] {
  const placed = { fleet: 'lab', fleetId: 'k3x9', deployment: 'big', namespace: 'llm', port: 8081, pods: 1 };
  const options = KubernetesOptions.parse({ kind: 'kubernetes' });
  return manifestsOf({ ...placed, replica, spec: { ...spec, fetched: { ...fetched, ...change } } }, options);
}

test.skipIf(specsFolder === undefined)(
  'a strict API server takes the claim, the Job and the pods that wait for it',
  () => {
    expect(made().flatMap(kubeFaults)).toEqual([]);
  },
);

test('the first replica fetches for all, into a claim that is of no deployment alone', () => {
  expect(made().map(({ kind }) => kind)).toEqual(['PersistentVolumeClaim', 'Job', 'Service', 'Deployment']);
  expect(made(1).map(({ kind }) => kind)).toEqual(['Service', 'Deployment']);
  const [claim] = made();
  expect(claim?.metadata).toMatchObject({ name: 'weights', labels: { 'berth.dev/fleet': 'lab' } });
  expect(Object.keys(claim?.metadata.labels ?? {})).not.toContain('app.kubernetes.io/instance');
});

test('deployments that share a model share the Job, and it is of none of them', () => {
  const [, job] = made();
  const placed = {
    fleet: 'lab',
    fleetId: 'k3x9',
    deployment: 'other',
    replica: 0,
    namespace: 'llm',
    pods: 1,
  };
  const options = KubernetesOptions.parse({ kind: 'kubernetes' });
  const [, same] = manifestsOf({ ...placed, port: 8082, spec: { ...spec, fetched } }, options);
  expect(same).toEqual(job);
  expect(Object.keys(job?.metadata.labels ?? {})).not.toContain('app.kubernetes.io/instance');
});

/** By it those are found that write to one place, whatever they fetch. */
function placeLabel(change: Partial<Fetched>): string | undefined {
  return made(0, change)[1]?.metadata.labels?.['berth.dev/fetch'];
}

test('Jobs that write to one place are known by a label', () => {
  const own = placeLabel(byBerth);
  expect(own).toMatch(/^[0-9a-f]{8}$/);
  expect(placeLabel({ ...byBerth, from: 'hf://a/b:Q8_0' })).toBe(own);
  expect(placeLabel({ ...byBerth, pulledTo: 'orca/n.gguf' })).not.toBe(own);
  // Other programs may fill one folder with files of several sources.
  expect(placeLabel({ from: 'hf://a/b' })).not.toBe(placeLabel({}));
});

test('another wish is another Job, since a Job cannot be changed', () => {
  const [, job] = made();
  expect(made()[1]?.metadata.name).toBe(job?.metadata.name);
  expect(made(0, { image: 'e/fetch:2' })[1]?.metadata.name).not.toBe(job?.metadata.name);
});

test('engines wait for the very file that a whole fetch leaves', () => {
  const job = made()[1]?.['spec'] as { template: { spec: { containers: [{ command: string[] }] } } };
  const pods = made(1)[1]?.['spec'] as { template: { spec: { initContainers: [{ command: string[] }] } } };
  const left = job.template.spec.containers[0].command[3];
  expect(left).toMatch(/^\/mnt\/models\/qwen3\/\.berth-[0-9a-f]{8}$/);
  expect(pods.template.spec.initContainers[0].command.at(-1)).toBe(left);
});

test('each container of a fetch states what it takes, so that a quota lets it in', () => {
  const job = made()[1]?.['spec'] as Pods;
  const pods = made(1)[1]?.['spec'] as Pods;
  for (const container of [job.template.spec.containers[0], pods.template.spec.initContainers?.[0]])
    expect(container?.resources).toMatchObject({
      requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
      limits: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
    });
  const own = { requests: { cpu: 1, memory: 2 * 1024 ** 3 }, limits: { memory: 8 * 1024 ** 3 } };
  const stated = made(0, { resources: own })[1]?.['spec'] as Pods;
  expect(stated.template.spec.containers[0]?.resources).toEqual({
    requests: { cpu: '1', memory: '2Gi' },
    limits: { memory: '8Gi' },
  });
});

/** The Job's own command, in a folder of this machine, with a program that brings a file. */
function fetchIn(folder: string, sums: Record<string, string>): { code: number | null; said: string } {
  const job = made(0, { sums, entrypoint: ['sh', '-c', 'echo weights >"$2"/m.gguf', 'sh'] })[1]?.[
    'spec'
  ] as Pods;
  const [program = '', ...words] = job.template.spec.containers[0]?.command ?? [];
  const there = words.map((word) => word.replaceAll('/mnt/models', folder));
  const ran = spawnSync(program, there, { encoding: 'utf8' });
  return { code: ran.status, said: ran.stdout + ran.stderr };
}

test('a file with another sum is no fetch, and is taken away; with the right one all is well', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-fetch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const right = createHash('sha256').update('weights\n').digest('hex');
  const wrong = fetchIn(folder, { 'm.gguf': 'a'.repeat(64) });
  expect(wrong.code).toBe(1);
  expect(wrong.said).toContain(`the SHA-256 of m.gguf is ${right}, not ${'a'.repeat(64)}`);
  expect(readdirSync(join(folder, 'qwen3'))).toEqual([]);
  expect(fetchIn(folder, { 'm.gguf': right, 'no.gguf': right }).said).toContain('no.gguf was not fetched');
  expect(fetchIn(folder, { 'm.gguf': right })).toEqual({ code: 0, said: '' });
  expect(readdirSync(join(folder, 'qwen3')).length).toBe(2);
});

/** Of the containers that fetch and that wait, the words. */
function wordsOf(change: Partial<Fetched>): {
  fetches: Container | undefined;
  waits: readonly string[];
} {
  const [job, pods] = ['Job', 'Deployment'].map((kind) => {
    const one = made(0, change).find((object) => object.kind === kind);
    return (one?.['spec'] as Pods | undefined)?.template.spec;
  });
  return { fetches: job?.containers[0], waits: pods?.initContainers?.[0]?.command ?? [] };
}

const byBerth = { image: 'e/berth:1', entrypoint: [], folder: 'orca', pulledTo: 'orca/m.gguf' };

test.skipIf(specsFolder === undefined)('a strict API server takes what pulls by the image of berth', () => {
  const ca = { configMap: 'lab-ca', key: 'ca.crt' };
  expect(made(0, { ...byBerth, ca, env: { HF_ENDPOINT: 'https://hub.lab' } }).flatMap(kubeFaults)).toEqual(
    [],
  );
});

test('the image of berth pulls a model to the very path that the engine opens, and says so by the file that is waited for', () => {
  const sums = { 'm.gguf': 'a'.repeat(64) };
  const { fetches, waits } = wordsOf({ ...byBerth, from: 'hf://TheBloke/Orca:Q5_K_M', sums });
  const mark = waits.at(-1) ?? '';
  expect(mark).toMatch(/^\/mnt\/models\/orca\/\.berth-[0-9a-f]{8}$/);
  expect(fetches).toMatchObject({
    image: 'e/berth:1',
    args: [
      'pull',
      'hf://TheBloke/Orca:Q5_K_M',
      '--to',
      '/mnt/models/orca/m.gguf',
      '--mark',
      mark,
      '--sum',
      `m.gguf=${'a'.repeat(64)}`,
    ],
    envFrom: [{ secretRef: { name: 'hub' } }],
  });
});

test('whoever waits for the image of berth wants nothing of it but Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-wait-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [program = '', ...words] = wordsOf(byBerth).waits;
  const mark = join(folder, 'mark');
  const there = [...words.slice(0, -1), mark];
  const early = spawnSync(program, there, { timeout: 2500 });
  expect([early.status, early.signal]).toEqual([null, 'SIGTERM']);
  writeFileSync(mark, '');
  expect(spawnSync(program, there, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('of one source two names in one folder are two fetches', () => {
  const marks = ['orca/m.gguf', 'orca/n.gguf'].map((pulledTo) =>
    wordsOf({ ...byBerth, pulledTo }).waits.at(-1),
  );
  expect(new Set(marks).size).toBe(2);
});

interface Fetching {
  readonly securityContext: unknown;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly initContainers?: readonly (Container & { readonly args?: readonly string[] })[];
  readonly containers: readonly (Container & { readonly args?: readonly string[] })[];
}

function jobOf(change: Partial<Fetched>): Fetching {
  const [, job] = made(0, change);
  return (job as unknown as { spec: { template: { spec: Fetching } } }).spec.template.spec;
}

const projector = { from: 'hf://TheBloke/Orca/mmproj.gguf', path: 'orca/mmproj.gguf' };

test('a projector is fetched before its model, each with its own sum, and pods wait for both', () => {
  const sums = { 'm.gguf': 'a'.repeat(64), 'mmproj.gguf': 'b'.repeat(64) };
  const change = { ...byBerth, from: 'hf://TheBloke/Orca:Q5_K_M', also: [projector], sums };
  const { initContainers: [first] = [], containers } = jobOf(change);
  const [, markOfFirst] = /--mark (\S+)/.exec(first?.args?.join(' ') ?? '') ?? [];
  const [, markOfModel] = /--mark (\S+)/.exec(containers[0]?.args?.join(' ') ?? '') ?? [];
  expect(first?.args).toEqual([
    'pull',
    projector.from,
    '--to',
    '/mnt/models/orca/mmproj.gguf',
    '--mark',
    markOfFirst,
    '--sum',
    `mmproj.gguf=${'b'.repeat(64)}`,
  ]);
  expect(containers[0]?.args?.slice(-2)).toEqual(['--sum', `m.gguf=${'a'.repeat(64)}`]);
  expect(wordsOf(change).waits.slice(-2)).toEqual([markOfFirst, markOfModel]);
  expect(new Set([markOfFirst, markOfModel]).size).toBe(2);
});

test('a model that is there is not fetched again for its projector', () => {
  const alone = wordsOf({ ...byBerth, from: 'hf://TheBloke/Orca:Q5_K_M' }).waits.at(-1);
  const both = wordsOf({ ...byBerth, from: 'hf://TheBloke/Orca:Q5_K_M', also: [projector] }).waits.at(-1);
  expect(both).toBe(alone);
});

test('the keys of the registry with the image are named in the pods that fetch', () => {
  expect(jobOf({ ...byBerth, pullSecrets: ['registry', 'other'] }).imagePullSecrets).toEqual([
    { name: 'registry' },
    { name: 'other' },
  ]);
  expect(jobOf(byBerth).imagePullSecrets).toBeUndefined();
});

test.skipIf(specsFolder === undefined)('a strict API server takes a Job that fetches two pieces', () => {
  const change = { ...byBerth, also: [projector], pullSecrets: ['registry'] };
  expect(made(0, change).flatMap(kubeFaults)).toEqual([]);
});

test('where the cluster chooses users, no group is named, and all else of its security stays', () => {
  expect(jobOf(byBerth)).toMatchObject({ securityContext: { runAsNonRoot: true, fsGroup: 10_001 } });
  const { securityContext, containers } = jobOf({ ...byBerth, anyUser: true });
  expect(securityContext).toEqual({
    runAsNonRoot: true,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(containers[0]).toMatchObject({
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  });
});

test('whoever waits with a shell waits for all pieces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-wait-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const also = [{ from: 's3://models/mmproj.gguf', path: 'qwen3/mmproj.gguf' }];
  const { waits } = wordsOf({ from: 's3://models/qwen3', also });
  const [program = '', ...words] = waits.map((word) => word.replaceAll('/mnt/models', folder));
  mkdirSync(join(folder, 'qwen3'));
  writeFileSync(words.at(-1) ?? '', '');
  expect(spawnSync(program, words, { timeout: 1000 }).signal).toBe('SIGTERM');
  writeFileSync(words.at(-2) ?? '', '');
  expect(spawnSync(program, words, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('what no Job can fetch is refused', () => {
  function refused(from: string): string | null {
    return fetchRefuses({ ...spec, fetched: { ...fetched, from } });
  }
  expect(refused('./m.gguf')).toContain('a file of this machine');
  expect(refused('hf://a/b:Q5_K_M')).toContain('whole repositories');
  expect(refused('s3://models/mistral')).toBeNull();
  function refusedByBerth(from: string, pulledTo: string): string | null {
    return fetchRefuses({ ...spec, fetched: { ...fetched, ...byBerth, from, pulledTo } });
  }
  expect(refusedByBerth('hf://a/b:Q5_K_M', 'm.gguf')).toBeNull();
  expect(refusedByBerth('hf://a/b:Q5_K_M', 'orca')).toContain('by which name (ending in .gguf)');
  expect(refusedByBerth('pvc://other/m.gguf', 'm.gguf')).toContain('nothing that "berth pull" fetches');
  function refusedBeside(from: string, path: string, change: Partial<Fetched> = byBerth): string | null {
    return fetchRefuses({
      ...spec,
      fetched: { ...fetched, from: 'hf://a/b', ...change, also: [{ from, path }] },
    });
  }
  expect(refusedBeside(projector.from, projector.path)).toBeNull();
  expect(refusedBeside('hf://a/b:F16', 'orca/b:F16')).toContain('does not name the file (ending in .gguf)');
  expect(refusedBeside('hf://a/b/m.gguf', 'orca/m.gguf')).toContain('would lie under one name, orca/m.gguf');
  expect(refusedBeside('oci://a/b/m.gguf', 'orca/p.gguf')).toContain('nothing that a Job fetches');
  expect(refusedBeside(projector.from, projector.path, {})).toContain('whole repositories');
  expect(refusedBeside('s3://models/p.gguf', 'orca/p.gguf', {})).toBeNull();
});
