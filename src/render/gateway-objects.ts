import { createHash } from 'node:crypto';
import { gatewaySecretsFolder, gatewayTlsFolder } from '../domain/cluster-gateway.ts';
import type { ClusterGateway, GatewayMark } from '../domain/cluster-gateway.ts';
import type { SecretHashes } from '../domain/instance.ts';
import { secretTitle } from '../domain/secret.ts';
import type { SecretRef } from '../domain/secret.ts';
import {
  fleetIdLabel,
  fleetLabel,
  gatewayAnnotation,
  gatewayLabels as labels,
  gatewayName as name,
  gatewaySecretsAnnotation,
  secretAnnotation,
  writtenAnnotation,
} from '../kube/names.ts';
import { shellText } from './secret-shell.ts';
import type { KubeObject } from '../kube/object.ts';
import { ownPodSecurity } from '../kube/own-user.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { writtenText } from '../kube/written.ts';
import type { RenderInput } from './contract.ts';

const stateFolder = '/var/lib/berth';
const configFolder = '/etc/berth';
const engineKeysFolder = `${gatewaySecretsFolder}/engine-keys`;
/** News that a pod ends travel; until then it still takes requests. */
const preStopSeconds = 5;
/** By what each image of berth has: one without a shell has no `sleep`, and a hook that fails lets the pod end at once. */
const pause = ['node', '-e', `setTimeout(() => {}, ${preStopSeconds * 1000})`];

/** Where the secrets of the gateway come from. */
export const gatewaySecret = 'berth-gateway-secrets';

interface Placed extends Pick<RenderInput, 'fleet' | 'fleetId' | 'namespace' | 'gateway'> {
  /** Hashes of its secrets: with others of them, other pods. Files that are rendered have none. */
  readonly secrets?: SecretHashes | null;
}

/** The Secret that its pods want, without its values; null where they want none. */
export function gatewaySecretMeta(input: Placed): KubeObject['metadata'] | null {
  const wants = input.gateway && Object.keys(gatewaySecretRefs(input.gateway)).length > 0;
  return wants ? metaOf(input, gatewaySecret) : null;
}

/** What lies in that Secret, by its keys, and where the value of each lies here. Pure. */
export function gatewaySecretRefs({
  variables,
  engineKeys,
}: Pick<ClusterGateway, 'variables' | 'engineKeys'>): Record<string, SecretRef> {
  const keys = Object.entries(engineKeys).map(([deployment, ref]) => [keyOf(deployment), ref] as const);
  // What the cluster has already is taken from where it is.
  const own = Object.entries(variables).filter(([, ref]) => !('env' in ref && ref.secret));
  return Object.fromEntries([...own, ...keys]);
}

/** No other begins so: variables have no hyphen, and places in the file begin otherwise. */
function keyOf(deployment: string): string {
  return `engine-key.${deployment}`;
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
export function gatewayMark({ fleetFile, variables, engineKeys, ...rest }: ClusterGateway): GatewayMark {
  return {
    version: 1,
    ...rest,
    file: hashOf(fleetFile),
    variables: Object.keys(variables).toSorted(),
    engineKeys: Object.keys(engineKeys).toSorted(),
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The gateway in the cluster, as many pods as are wanted: what `berth serve` needs, and no right beside that. Pure. */
export function gatewayObjects(input: Placed): KubeObject[] {
  const { gateway } = input;
  if (gateway === null) return [];
  const nowhere = metaOf({ ...input, namespace: null }, name);
  const written = writtenText([
    configMap(gateway, nowhere),
    service(gateway, nowhere),
    deployment(gateway, nowhere),
  ]);
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metaOf(input, name),
      automountServiceAccountToken: false,
    },
    ...rights(input),
    configMap(gateway, metaOf(input, name)),
    service(gateway, metaOf(input, name)),
    keeping(deployment(gateway, metaOf(input, name)), { written, secrets: input.secrets ?? null }),
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
  const there = [
    ...Object.values(input.gateway?.variables ?? {}).flatMap((ref) =>
      'env' in ref && ref.secret
        ? [`The gateway needs what the cluster must have: ${secretTitle(ref)}.`]
        : [],
    ),
    ...tlsNeeds(input),
  ];
  const meta = gatewaySecretMeta(input);
  if (meta === null || input.gateway === null) return there;
  const texts = Object.fromEntries(
    Object.entries(gatewaySecretRefs(input.gateway)).map(([key, ref]) => [key, shellText(ref)]),
  );
  return [`The gateway needs a Secret: ${secretCommands(meta, texts)}`, ...there];
}

function tlsNeeds({ gateway, namespace }: RenderInput): string[] {
  const secret = gateway?.tlsSecret;
  const place = namespace === null ? '' : ` -n ${namespace}`;
  return secret === undefined
    ? []
    : [
        `The gateway needs a Secret with its certificate, where nothing such as cert-manager makes it: kubectl create secret tls ${secret}${place} --cert=FILE --key=FILE`,
      ];
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
      rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
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

function configMap({ fleetFile }: ClusterGateway, metadata: KubeObject['metadata']): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'berth.yaml': fleetFile } };
}

function service({ port, tlsSecret }: ClusterGateway, metadata: KubeObject['metadata']): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      selector: labels,
      ports: [
        {
          // The same with and without TLS, so that pods of both answer by the name while one becomes the other.
          name: 'http',
          port,
          targetPort: 'http',
          protocol: 'TCP',
          ...(tlsSecret !== undefined && { appProtocol: 'https' }),
        },
      ],
    },
  };
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

interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/**
 * The Deployment with what a change that never serves is undone by (`written`: its file, its Service and itself as they were sent), and with
 * hashes of its secrets: other ones are other pods. Pure.
 */
export function keeping(
  bare: KubeObject,
  { written, secrets }: { written: string; secrets: SecretHashes | null },
): KubeObject {
  const { template, ...spec } = bare['spec'] as { template: Template };
  const own = {
    [writtenAnnotation]: written,
    ...(secrets === null ? {} : { [gatewaySecretsAnnotation]: JSON.stringify(secrets) }),
  };
  const hashes = secretAnnotation({ secrets: secrets ?? undefined }).annotations;
  const annotations = { ...template.metadata.annotations, ...hashes };
  return {
    ...bare,
    metadata: { ...bare.metadata, annotations: { ...bare.metadata.annotations, ...own } },
    spec: { ...spec, template: { ...template, metadata: { ...template.metadata, annotations } } },
  };
}

function podOf(gateway: ClusterGateway): Record<string, unknown> {
  const folders = ['state', 'tmp'];
  return {
    serviceAccountName: name,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.ceil(gateway.drainMs / 1000) + preStopSeconds + 10,
    securityContext: ownPodSecurity(gateway.anyUser === true),
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
      ...(wantsSecrets(gateway) ? [secretsVolume(gateway)] : []),
      ...(gateway.tlsSecret === undefined ? [] : [tlsVolume(gateway.tlsSecret)]),
    ],
  };
}

/** What of it is renewed reaches pods that run: it is mounted as a whole folder. */
function tlsVolume(secretName: string): object {
  const items = ['tls.crt', 'tls.key'].map((key) => ({ key, path: key }));
  return { name: 'tls', secret: { secretName, defaultMode: 0o440, items } };
}

function wantsSecrets({ variables, engineKeys }: ClusterGateway): boolean {
  return Object.keys(variables).length + Object.keys(engineKeys).length > 0;
}

/** Each secret as a file, from the gateway's own Secret or from one that the cluster has already. */
function secretsVolume(gateway: ClusterGateway): object {
  const { variables, engineKeys } = gateway;
  const own = Object.keys(gatewaySecretRefs(gateway)).filter((key) => key in variables);
  const items = [
    ...own.map((key) => ({ key, path: key })),
    ...Object.keys(engineKeys).map((name) => ({ key: keyOf(name), path: `engine-keys/${name}` })),
  ];
  const there = Object.entries(variables).flatMap(([path, ref]) => {
    const of = 'env' in ref ? ref.secret : undefined;
    return of ? [{ secret: { name: of.name, items: [{ key: of.key, path }] } }] : [];
  });
  const sources = [...(items.length > 0 ? [{ secret: { name: gatewaySecret, items } }] : []), ...there];
  return { name: 'secrets', projected: { defaultMode: 0o440, sources } };
}

function containerOf(gateway: ClusterGateway): Record<string, unknown> {
  const allowed = gateway.allowAnonymous ? ['--allow-anonymous'] : [];
  const keys = Object.keys(gateway.engineKeys).length > 0;
  return {
    name: 'gateway',
    image: gateway.image,
    args: [
      'serve',
      '--file',
      `${configFolder}/berth.yaml`,
      '--state-dir',
      stateFolder,
      ...allowed,
      ...(keys ? ['--engine-keys', engineKeysFolder] : []),
    ],
    env: [{ name: 'HOME', value: stateFolder }],
    ports: [{ name: 'http', containerPort: gateway.port, protocol: 'TCP' }],
    startupProbe: probe(gateway, { periodSeconds: 2, failureThreshold: 60 }),
    readinessProbe: probe(gateway, { periodSeconds: 5, failureThreshold: 2 }),
    livenessProbe: probe(gateway, { periodSeconds: 10, failureThreshold: 6 }),
    lifecycle: { preStop: { exec: { command: pause } } },
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
      ...(wantsSecrets(gateway)
        ? [{ name: 'secrets', mountPath: gatewaySecretsFolder, readOnly: true }]
        : []),
      ...(gateway.tlsSecret === undefined
        ? []
        : [{ name: 'tls', mountPath: gatewayTlsFolder, readOnly: true }]),
    ],
  };
}

/** Whoever asks looks at no certificate. */
function probe({ tlsSecret }: ClusterGateway, often: Record<string, number>): Record<string, unknown> {
  const scheme = tlsSecret === undefined ? {} : { scheme: 'HTTPS' };
  return { httpGet: { path: '/healthz', port: 'http', ...scheme }, timeoutSeconds: 5, ...often };
}
