import { createHash } from 'node:crypto';
import { fleetLabel } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RenderedGateway, RenderInput } from './contract.ts';

const name = 'berth-gateway';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'gateway' };
const stateFolder = '/var/lib/berth';
const configFolder = '/etc/berth';
/** News that a pod ends travel; until then it still takes requests. */
const preStopSeconds = 5;
/** Any that no image has a user of; never root. */
const user = 10_001;

/** Where the variables with the secrets of the gateway come from. */
const gatewaySecret = 'berth-gateway-secrets';

/** The gateway in the cluster, as many pods as are wanted: what `berth serve` needs, and no right beside that. Pure. */
export function gatewayObjects(input: RenderInput): KubeObject[] {
  const { gateway } = input;
  if (gateway === null) return [];
  function meta(own: string): KubeObject['metadata'] {
    return {
      name: own,
      ...(input.namespace === null ? {} : { namespace: input.namespace }),
      // Not those by which the engines of the fleet are found.
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'berth', [fleetLabel]: input.fleet },
    };
  }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(name), automountServiceAccountToken: false },
    ...rights(input, meta),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(name), data: { 'berth.yaml': gateway.fleetFile } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(name),
      spec: {
        type: 'ClusterIP',
        selector: labels,
        ports: [{ name: 'http', port: gateway.port, targetPort: 'http', protocol: 'TCP' }],
      },
    },
    deployment(gateway, meta(name)),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta(name),
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta(name),
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 'http', protocol: 'TCP' }] }],
      },
    },
  ];
}

/** Its secrets, which whoever applies the files brings. */
export function gatewayNeeds({ gateway, namespace }: RenderInput): string[] {
  if (gateway === null || gateway.variables.length === 0) return [];
  const place = namespace === null ? '' : ` -n ${namespace}`;
  const variables = gateway.variables.map((key) => `--from-literal=${key}="$${key}"`);
  return [
    `The gateway needs a Secret: kubectl create secret generic ${gatewaySecret}${place} ${variables.join(' ')}`,
  ];
}

/** To see where pods of the namespace answer, and nothing else. */
function rights(
  { namespace }: RenderInput,
  meta: (own: string) => KubeObject['metadata'],
): readonly KubeObject[] {
  const subject = { kind: 'ServiceAccount', name, ...(namespace === null ? {} : { namespace }) };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: meta(name),
      rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta(name),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [subject],
    },
  ];
}

function deployment(gateway: RenderedGateway, metadata: KubeObject['metadata']): KubeObject {
  const hash = createHash('sha256').update(gateway.fleetFile).digest('hex').slice(0, 16);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: gateway.replicas,
      revisionHistoryLimit: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: {
        // Another file is another pod.
        metadata: { labels, annotations: { 'berth.dev/fleet-file': hash } },
        spec: podOf(gateway),
      },
    },
  };
}

function podOf(gateway: RenderedGateway): Record<string, unknown> {
  const folders = ['state', 'tmp'];
  return {
    serviceAccountName: name,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.ceil(gateway.drainMs / 1000) + preStopSeconds + 10,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels },
      },
    ],
    containers: [containerOf(gateway)],
    volumes: [
      { name: 'fleet', configMap: { name } },
      ...folders.map((folder) => ({ name: folder, emptyDir: { sizeLimit: '1Gi' } })),
    ],
  };
}

function containerOf(gateway: RenderedGateway): Record<string, unknown> {
  const allowed = gateway.allowAnonymous ? ['--allow-anonymous'] : [];
  return {
    name: 'gateway',
    image: gateway.image,
    args: ['serve', '--file', `${configFolder}/berth.yaml`, '--state-dir', stateFolder, ...allowed],
    env: [
      { name: 'HOME', value: stateFolder },
      ...gateway.variables.map((key) => ({
        name: key,
        valueFrom: { secretKeyRef: { name: gatewaySecret, key } },
      })),
    ],
    ports: [{ name: 'http', containerPort: gateway.port, protocol: 'TCP' }],
    startupProbe: probe('/healthz', { periodSeconds: 2, failureThreshold: 60 }),
    readinessProbe: probe('/healthz', { periodSeconds: 5, failureThreshold: 2 }),
    livenessProbe: probe('/healthz', { periodSeconds: 10, failureThreshold: 6 }),
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'fleet', mountPath: configFolder, readOnly: true },
      { name: 'state', mountPath: stateFolder },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function probe(path: string, often: Record<string, number>): Record<string, unknown> {
  return { httpGet: { path, port: 'http' }, timeoutSeconds: 5, ...often };
}
