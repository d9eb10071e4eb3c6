import { createHash } from 'node:crypto';
import { kubeCron } from '../domain/cron.ts';
import { secretTitle } from '../domain/secret.ts';
import { fleetLabel, objectName } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { ownPodSecurity } from '../kube/own-user.ts';
import { yamlOf } from './yaml.ts';
import type { RenderedBenchmark, RenderedFile, RenderInput } from './contract.ts';

const configFolder = '/etc/berth';
const resultsFolder = '/results';
const secretFolder = '/run/secrets/berth';

/** The client of a benchmark as a Job, or by a schedule as a CronJob. It asks the engines, and no API of the cluster. Pure. */
export function benchmarkObjects(input: RenderInput): KubeObject[] {
  return input.benchmarks.filter(({ inCluster }) => inCluster).flatMap((one) => objectsOf(input, one));
}

/** The same, a file for each benchmark. */
export function benchmarkFiles(input: RenderInput): RenderedFile[] {
  return input.benchmarks
    .filter(({ inCluster }) => inCluster)
    .map((one) => ({
      path: `benchmark-${one.name}.yaml`,
      text: objectsOf(input, one).map(yamlOf).join('---\n'),
    }));
}

/** One run of it, under a name of its own, whatever its schedule: its Job, and what the pod waits for until it is there. Pure. */
export function benchmarkRun(
  input: Pick<RenderInput, 'fleet' | 'namespace'>,
  benchmark: RenderedBenchmark,
  run: string,
): { job: KubeObject; config: KubeObject } {
  const [config, job] = objectsOf(input, { ...benchmark, schedule: null }, run) as [KubeObject, KubeObject];
  return { job, config };
}

/** What must be there beside the objects. */
export function benchmarkNeeds({ benchmarks }: RenderInput): string[] {
  return benchmarks
    .filter(({ inCluster }) => inCluster)
    .flatMap(({ name, secrets, results }) => [
      ...secrets.map((one) => `Benchmark ${name} needs what the cluster must have: ${secretTitle(one.ref)}.`),
      ...(results === null ? [] : [`Benchmark ${name} needs a claim of the cluster: ${results}.`]),
    ]);
}

function objectsOf(
  input: Pick<RenderInput, 'fleet' | 'namespace'>,
  benchmark: RenderedBenchmark,
  run: string | null = null,
): KubeObject[] {
  const name = objectName(['bench', benchmark.name, run ?? []].flat().join('-'), 0);
  const metadata = {
    name,
    ...(input.namespace === null ? {} : { namespace: input.namespace }),
    // Not those by which the engines of the fleet are found.
    labels: {
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/component': 'benchmark',
      'app.kubernetes.io/managed-by': 'berth',
      [fleetLabel]: input.fleet,
    },
  };
  const data = { 'berth.yaml': benchmark.fleetFile, ...benchmark.beside };
  const hash = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
  const job = jobSpec(benchmark, name, {
    labels: metadata.labels,
    annotations: { 'berth.dev/fleet-file': hash },
  });
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    benchmark.schedule === null
      ? { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: job }
      : {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          metadata,
          spec: {
            schedule: kubeCron(benchmark.schedule),
            // Two at once would measure each other.
            concurrencyPolicy: 'Forbid',
            startingDeadlineSeconds: 3600,
            successfulJobsHistoryLimit: 7,
            failedJobsHistoryLimit: 3,
            jobTemplate: { spec: job },
          },
        },
  ];
}

function jobSpec(
  benchmark: RenderedBenchmark,
  name: string,
  template: Record<string, unknown>,
): Record<string, unknown> {
  return {
    // What was measured and missed its objectives is no fault of the client: to measure again would change nothing.
    backoffLimit: 1,
    ttlSecondsAfterFinished: 604_800,
    podFailurePolicy: {
      rules: [
        { action: 'FailJob', onExitCodes: { containerName: 'bench', operator: 'In', values: [2, 3, 4] } },
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
      ],
    },
    template: { metadata: template, spec: podOf(benchmark, name) },
  };
}

function podOf(benchmark: RenderedBenchmark, name: string): Record<string, unknown> {
  const account = benchmark.secrets.flatMap(({ ref }) => ref.serviceAccount ?? [])[0];
  const files = benchmark.secrets.flatMap(({ file, ref }) => (file === null ? [] : [sourceOf(file, ref)]));
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(account === undefined ? {} : { serviceAccountName: account }),
    securityContext: ownPodSecurity(benchmark.anyUser === true),
    containers: [containerOf(benchmark, files.length > 0)],
    volumes: [
      { name: 'fleet', configMap: { name } },
      benchmark.results === null
        ? { name: 'results', emptyDir: { sizeLimit: '2Gi' } }
        : { name: 'results', persistentVolumeClaim: { claimName: benchmark.results } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
      ...(files.length > 0 ? [{ name: 'secrets', projected: { defaultMode: 0o440, sources: files } }] : []),
    ],
  };
}

function sourceOf(
  path: string,
  { secretRef }: RenderedBenchmark['secrets'][number]['ref'],
): Record<string, unknown> {
  return secretRef
    ? { secret: { name: secretRef.name, items: [{ key: secretRef.key ?? '', path }] } }
    : { serviceAccountToken: { path, expirationSeconds: 3600 } };
}

function containerOf(benchmark: RenderedBenchmark, hasFiles: boolean): Record<string, unknown> {
  const whole = benchmark.secrets.flatMap(({ file, ref }) =>
    file === null && ref.secretRef ? [{ secretRef: { name: ref.secretRef.name } }] : [],
  );
  return {
    name: 'bench',
    image: benchmark.image,
    args: ['bench', benchmark.name, '--file', `${configFolder}/berth.yaml`, '--state-dir', resultsFolder],
    env: [{ name: 'HOME', value: resultsFolder }],
    ...(whole.length === 0 ? {} : { envFrom: whole }),
    // Without a limit of CPUs: a client that is throttled measures itself.
    resources: { requests: { cpu: '1', memory: '512Mi' }, limits: { memory: '2Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'fleet', mountPath: configFolder, readOnly: true },
      { name: 'results', mountPath: resultsFolder },
      { name: 'tmp', mountPath: '/tmp' },
      ...(hasFiles ? [{ name: 'secrets', mountPath: secretFolder, readOnly: true }] : []),
    ],
  };
}
