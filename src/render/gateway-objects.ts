import { createHash } from 'node:crypto';
import type { ClusterGateway, GatewayMark } from '../domain/cluster-gateway.ts';
import {
  fleetIdLabel,
  fleetLabel,
  gatewayAnnotation,
  gatewayLabels as labels,
  gatewayName as name,
} from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import type { RenderInput } from './contract.ts';

const stateFolder = '/var/lib/berth';
const configFolder = '/etc/berth';
/** News that a pod ends travel; until then it still takes requests. */
const preStopSeconds = 5;
/** Any that no image has a user of; never root. */
const user = 10_001;

/** Where the variables with the secrets of the gateway come from. */
const gatewaySecret = 'berth-gateway-secrets';

type Placed = Pick<RenderInput, 'fleet' | 'fleetId' | 'namespace' | 'gateway'>;

/** The Secret that its pods want, without its values; null where they want none. */
export function gatewaySecretMeta(input: Placed): KubeObject['metadata'] | null {
  const wants = Object.keys(input.gateway?.variables ?? {}).length > 0;
  return wants ? metaOf(input, gatewaySecret) : null;
}

function metaOf({ fleet, fleetId, namespace }: Placed, own: string): KubeObject['metadata'] {
  return {
    name: own,
    ...(namespace === null ? {} : { namespace }),
    labels: {
      ...labels,
      'app.kubernetes.io/managed-by': 'berth',
      [fleetLabel]: fleet,
      [fleetIdLabel]: fleetId,
    },
  };
}

/** What a later plan compares with. Pure. */
export function gatewayMark({ fleetFile, variables, ...rest }: ClusterGateway): GatewayMark {
  return { version: 1, ...rest, file: hashOf(fleetFile), variables: Object.keys(variables).toSorted() };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The gateway in the cluster, as many pods as are wanted: what `berth serve` needs, and no right beside that. Pure. */
export function gatewayObjects(input: Placed): KubeObject[] {
  const { gateway } = input;
  if (gateway === null) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metaOf(input, name),
      automountServiceAccountToken: false,
    },
    ...rights(input),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metaOf(input, name),
      data: { 'berth.yaml': gateway.fleetFile },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metaOf(input, name),
      spec: {
        type: 'ClusterIP',
        selector: labels,
        ports: [{ name: 'http', port: gateway.port, targetPort: 'http', protocol: 'TCP' }],
      },
    },
    deployment(gateway, metaOf(input, name)),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metaOf(input, name),
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metaOf(input, name),
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 'http', protocol: 'TCP' }] }],
      },
    },
  ];
}

/** Its secrets, which whoever applies the files brings. */
export function gatewayNeeds(input: RenderInput): string[] {
  const meta = gatewaySecretMeta(input);
  if (meta === null || input.gateway === null) return [];
  const texts = Object.fromEntries(Object.keys(input.gateway.variables).map((key) => [key, `$${key}`]));
  return [`The gateway needs a Secret: ${secretCommands(meta, texts)}`];
}

/** To see where pods of the namespace answer, and nothing else. */
function rights(input: Placed): readonly KubeObject[] {
  const { namespace } = input;
  const subject = { kind: 'ServiceAccount', name, ...(namespace === null ? {} : { namespace }) };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metaOf(input, name),
      rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metaOf(input, name),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [subject],
    },
  ];
}

function deployment(gateway: ClusterGateway, metadata: KubeObject['metadata']): KubeObject {
  const mark = gatewayMark(gateway);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, annotations: { [gatewayAnnotation]: JSON.stringify(mark) } },
    spec: {
      replicas: gateway.replicas,
      revisionHistoryLimit: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: {
        // Another file is another pod.
        metadata: { labels, annotations: { 'berth.dev/fleet-file': mark.file } },
        spec: podOf(gateway),
      },
    },
  };
}

function podOf(gateway: ClusterGateway): Record<string, unknown> {
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

function containerOf(gateway: ClusterGateway): Record<string, unknown> {
  const allowed = gateway.allowAnonymous ? ['--allow-anonymous'] : [];
  return {
    name: 'gateway',
    image: gateway.image,
    args: ['serve', '--file', `${configFolder}/berth.yaml`, '--state-dir', stateFolder, ...allowed],
    env: [
      { name: 'HOME', value: stateFolder },
      ...Object.keys(gateway.variables).map((key) => ({
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
