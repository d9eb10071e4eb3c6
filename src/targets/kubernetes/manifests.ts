import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { filesName } from '../../kube/given-files.ts';
import {
  fleetIdLabel,
  fleetLabel,
  gatewayLabels,
  objectName,
  secretAnnotation,
  selectorOf,
} from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { fetchObjects } from './fetch.ts';
import { mergePatch } from '../../kube/merge-patch.ts';
import type { KubernetesOptions } from './options.ts';
import { platformObjects } from './platform.ts';
import { podSpec } from './pod.ts';
import { strategyOf } from './strategy.ts';

/** What is to run, and under which name. */
export interface Placed {
  readonly fleet: string;
  readonly fleetId: string;
  readonly deployment: string;
  readonly replica: number;
  readonly port: number;
  readonly spec: LaunchSpec;
  /** Hashes of its secrets: with others of them, other pods. */
  readonly secrets?: Mark['secrets'];
  /** Null: the namespace is not written, so whoever sends it chooses. */
  readonly namespace: string | null;
  /** How many pods; one where each has objects of its own. */
  readonly pods: number;
  /** True where the server that they are for is known to take `preStop.sleep`. */
  readonly sleeps?: boolean;
}

/** Every object of one replica but its Secret, in the order in which they are made. Pure. */
export function manifestsOf(placed: Placed, options: KubernetesOptions): KubeObject[] {
  return [
    ...fetchObjects({ ...placed, metaOf: (name) => metaOf(placed, name) }),
    ...cacheClaim(placed, options),
    service(placed, options),
    deployment(placed, options),
    ...ingress(placed, options),
    ...networkPolicy(placed, options),
    ...platformObjects(
      {
        ...placed,
        secret: secretName(placed),
        service: serviceName(placed, options),
        pods: podLabels(placed, options),
        meta: metaOf(placed, ownName(placed)),
      },
      options,
    ),
  ];
}

/** The Secret that a replica mounts. */
export function secretName({ deployment, replica }: Pick<Placed, 'deployment' | 'replica'>): string {
  return `${objectName(deployment, replica)}-secrets`;
}

export function metaOf(placed: Placed, name: string): KubeObject['metadata'] {
  const { fleet, fleetId, deployment, replica, namespace } = placed;
  return {
    name,
    ...(namespace === null ? {} : { namespace }),
    labels: {
      ...selectorOf(deployment, replica),
      'app.kubernetes.io/managed-by': 'berth',
      [fleetLabel]: fleet,
      [fleetIdLabel]: fleetId,
    },
  };
}

/** Labels by which the pods of a replica are known; those of others can be of the first alone. */
export function podSelector(
  { deployment, replica }: Pick<Placed, 'deployment' | 'replica'>,
  { selector }: Pick<KubernetesOptions, 'selector'>,
): Readonly<Record<string, string>> {
  return replica === 0 && selector ? selector : selectorOf(deployment, replica);
}

/** All labels of the pods of a replica. */
function podLabels(placed: Placed, options: KubernetesOptions): Readonly<Record<string, string>> {
  return { ...selectorOf(placed.deployment, placed.replica), ...podSelector(placed, options) };
}

/** What the Service of a replica is called. */
export function serviceName(
  { deployment, replica }: Pick<Placed, 'deployment' | 'replica'>,
  { service: { name } }: Pick<KubernetesOptions, 'service'>,
): string {
  return replica === 0 && name !== undefined ? name : objectName(deployment, replica);
}

function ownName({ deployment, replica }: Placed): string {
  return objectName(deployment, replica);
}

function cacheName(placed: Placed, options: KubernetesOptions): string | null {
  const keeps = placed.spec.writable.length + Object.keys(placed.spec.caches ?? {}).length;
  return options.cache && keeps > 0 ? `${ownName(placed)}-cache` : null;
}

function cacheClaim(placed: Placed, options: KubernetesOptions): KubeObject[] {
  const name = cacheName(placed, options);
  const { cache } = options;
  if (name === null || !cache) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metaOf(placed, name),
      spec: {
        accessModes: [cache.access],
        ...(cache.storageClass === undefined ? {} : { storageClassName: cache.storageClass }),
        resources: { requests: { storage: cache.size } },
      },
    },
  ];
}

function service(placed: Placed, options: KubernetesOptions): KubeObject {
  const { type, nodePort } = options.service;
  const port = {
    name: 'http',
    port: placed.port,
    // Pods that others made have no port of that name, and serve until the first new one does.
    targetPort: placed.replica === 0 && options.selector ? placed.port : 'http',
    protocol: 'TCP',
    ...(nodePort === undefined || type === 'ClusterIP' ? {} : { nodePort }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(placed, serviceName(placed, options)),
    spec: { type, selector: podSelector(placed, options), ports: [port] },
  };
}

function deployment(placed: Placed, options: KubernetesOptions): KubeObject {
  const { spec } = placed;
  const selector = podSelector(placed, options);
  const names = { secret: secretName(placed), files: filesName(placed), cache: cacheName(placed, options) };
  const made: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metaOf(placed, ownName(placed)),
    spec: {
      // Else whoever scales it and whoever applies it would each set what the other has set.
      ...(options.autoscale ? {} : { replicas: placed.pods }),
      revisionHistoryLimit: 2,
      // Beside the model's time to load stands that to fetch an image.
      progressDeadlineSeconds: Math.ceil(spec.readiness.startTimeoutMs / 1000) + 1800,
      strategy: strategyOf(spec, options),
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: podLabels(placed, options), ...secretAnnotation(placed) },
        spec: podSpec(spec, options, { port: placed.port, names, sleeps: placed.sleeps ?? false }),
      },
    },
  };
  return options.patch ? (mergePatch(made, options.patch) as KubeObject) : made;
}

/** Controllers of nginx hold back events and end long answers unless they are told not to. */
const nginx = {
  'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
  'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
  'nginx.ingress.kubernetes.io/proxy-body-size': '64m',
};

function ingress(placed: Placed, options: KubernetesOptions): KubeObject[] {
  const { ingress: wanted } = options;
  if (!wanted) return [];
  const meta = metaOf(placed, ownName(placed));
  const annotations = { ...(wanted.class === 'nginx' ? nginx : {}), ...wanted.annotations };
  const backend = { service: { name: serviceName(placed, options), port: { name: 'http' } } };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: Object.keys(annotations).length === 0 ? meta : { ...meta, annotations },
      spec: {
        ...(wanted.class === undefined ? {} : { ingressClassName: wanted.class }),
        ...(wanted.tls === undefined ? {} : { tls: [{ hosts: [wanted.host], secretName: wanted.tls }] }),
        rules: [{ host: wanted.host, http: { paths: [{ path: wanted.path, pathType: 'Prefix', backend }] } }],
      },
    },
  ];
}

/** Whom the file names, there or beside the way in that is his, and the gateway beside the engine, which would else be shut out of its own fleet. */
function networkPolicy(placed: Placed, options: KubernetesOptions): KubeObject[] {
  const { allowFrom, ingress: way, httpRoute, monitor } = options;
  if (!allowFrom) return [];
  const behind = [way, httpRoute, monitor].flatMap((one) => one?.from ?? []);
  const from = [...allowFrom, ...behind].map(({ namespace, pods }) => ({
    ...(namespace === undefined ? {} : { namespaceSelector: { matchLabels: namespace } }),
    ...(namespace !== undefined && pods === undefined ? {} : { podSelector: { matchLabels: pods ?? {} } }),
  }));
  const gateway = { podSelector: { matchLabels: gatewayLabels } };
  const all = new Map([...from, gateway].map((one) => [JSON.stringify(one), one]));
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metaOf(placed, ownName(placed)),
      spec: {
        podSelector: { matchLabels: podSelector(placed, options) },
        policyTypes: ['Ingress'],
        ingress: [{ from: [...all.values()], ports: [{ port: 'http', protocol: 'TCP' }] }],
      },
    },
  ];
}
