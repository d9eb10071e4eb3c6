import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import {
  entrypointOf,
  gpusOf,
  imageOf,
  resourcesOf,
  serviceAccountOf,
  tolerationsOf,
  withDriver,
} from '../../kube/launched.ts';
import { filesName } from '../../kube/given-files.ts';
import { mergePatch } from '../../kube/merge-patch.ts';
import { fleetIdLabel, fleetLabel, objectName, secretAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { podVariables } from '../../kube/pod-variables.ts';
import { probesOf } from '../../kube/probes.ts';
import { verbatim } from '../../kube/verbatim.ts';
import { volumesOf } from '../../kube/volumes.ts';
import type { Mounted } from '../../kube/volumes.ts';
import { accessObjects } from './access.ts';
import { engineArgs } from './engine-args.ts';
import { plainText } from './go-templates.ts';
import { deadlineOf, isKnative, knativeLife, modeAnnotation, modeName, signed } from './knative-spec.ts';
import type { KserveOptions } from './options.ts';
import { connectionPath, containerPort, fillerOf, hasOwnKeys, storageOf } from './storage.ts';
import { storageName } from './storage-secret.ts';

type Placed = Pick<Mark, 'fleet' | 'fleetId' | 'deployment' | 'replica' | 'spec' | 'secrets'>;

export const serviceKind = { apiVersion: 'serving.kserve.io/v1beta1', kind: 'InferenceService' } as const;
export const runtimeKind = { apiVersion: 'serving.kserve.io/v1alpha1', kind: 'ServingRuntime' } as const;

/**
 * The InferenceService, the ServingRuntime where one is made, and the accounts that it needs. Labels and annotations of the service flow into the template
 * of its pods, so nothing stands there that changes while the model stays the same.
 */
export function manifestsOf(placed: Placed, options: KserveOptions): KubeObject[] {
  const runtime = options.runtime ?? { create: objectName(placed.deployment, placed.replica) };
  const made = inferenceService(placed, options, 'use' in runtime ? runtime.use : runtime.create);
  const service = options.patch ? (mergePatch(made, options.patch) as KubeObject) : made;
  const runtimes = 'use' in runtime ? [] : [servingRuntime(placed, options, runtime.create)];
  return [
    ...storageAccount(placed),
    ...accessObjects(placed, options, (name, more) => metaOf(placed, name, more)),
    ...runtimes,
    isKnative(options) ? signed(service, runtimes) : service,
  ];
}

/** By the Secrets of its account KServe finds the keys of the model's place. */
function storageAccount(placed: Placed): KubeObject[] {
  if (!hasOwnKeys(placed.spec)) return [];
  const name = storageName(placed);
  return [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: metaOf(placed, name), secrets: [{ name }] }];
}

/** What a service may have beside itself and its runtime, whatever its options are by now. */
export function besideService(placed: Pick<Mark, 'deployment' | 'replica'>): KubeObject[] {
  const all = { route: { tls: 'edge', timeout: '', auth: true, token: true } } as const;
  const secrets = [secretName(placed), storageName(placed)];
  return [
    ...secrets.map((name) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: storageName(placed) } },
    // A binding goes before its role and its account.
    ...accessObjects(placed, all, (name) => ({ name })).toReversed(),
  ];
}

function metaOf(
  { fleet, fleetId }: Pick<Mark, 'fleet' | 'fleetId'>,
  name: string,
  more: Partial<KubeObject['metadata']> = {},
): KubeObject['metadata'] {
  const labels = {
    'app.kubernetes.io/managed-by': 'berth',
    [fleetLabel]: fleet,
    [fleetIdLabel]: fleetId,
    ...more.labels,
  };
  const { annotations } = more;
  return { name, labels, ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}) };
}

export function secretName({ deployment, replica }: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${objectName(deployment, replica)}-secrets`;
}

function mountsOf(placed: Placed, options: KserveOptions): Mounted[] {
  const { spec } = placed;
  const shm = options.shm ?? spec.sharedMemory ?? null;
  // KServe itself brings the model.
  return volumesOf(
    { ...spec, model: null },
    { secret: secretName(placed), files: filesName(placed), cache: null },
    shm,
  );
}

/** The part that is the same for every model: program, port, probes. A container of this name is what services are merged with. */
function servingRuntime(placed: Placed, options: KserveOptions, name: string): KubeObject {
  const { spec } = placed;
  const gpus = gpusOf(spec, options);
  // One that several may share is called as none of them.
  const title = options.runtime ? name : (options.dashboard?.title ?? placed.deployment);
  const meta = options.dashboard
    ? {
        labels: { 'opendatahub.io/dashboard': 'true' },
        annotations: {
          'openshift.io/display-name': title,
          ...(gpus ? { 'opendatahub.io/recommended-accelerators': JSON.stringify([gpus.resource]) } : {}),
        },
      }
    : {};
  return {
    ...runtimeKind,
    metadata: metaOf(placed, name, meta),
    spec: {
      annotations: {
        ...(spec.metricsPath === null
          ? {}
          : { 'prometheus.io/port': String(containerPort), 'prometheus.io/path': spec.metricsPath }),
        // By it OpenShift AI knows which of its dashboards reads these metrics.
        ...(options.dashboard ? { 'opendatahub.io/kserve-runtime': spec.engine } : {}),
      },
      multiModel: false,
      supportedModelFormats: [{ name: options.format, autoSelect: false }],
      containers: [
        {
          name: 'kserve-container',
          image: imageOf(spec, options) ?? '',
          command: (entrypointOf(spec, options) ?? []).map(asItStands),
          ports: [{ containerPort, protocol: 'TCP' }],
          ...probesOf(spec.readiness, containerPort),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

function inferenceService(placed: Placed, options: KserveOptions, runtime: string): KubeObject {
  const { spec } = placed;
  const mounts = mountsOf(placed, options);
  const node = options.node ?? spec.node;
  const selector = {
    ...options.nodeSelector,
    ...(node === undefined ? {} : { 'kubernetes.io/hostname': node }),
  };
  const tolerations = tolerationsOf(spec, options);
  const { pullSecrets } = options;
  const serviceAccount = hasOwnKeys(spec) ? storageName(placed) : serviceAccountOf(spec, options);
  return {
    ...serviceKind,
    metadata: metaOf(placed, objectName(placed.deployment, placed.replica), tellsOf(placed, options)),
    spec: {
      predictor: {
        minReplicas: 1,
        maxReplicas: 1,
        ...(isKnative(options) ? knativeLife() : deploymentLife(spec, options)),
        enableServiceLinks: false,
        ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
        ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
        ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
        ...(tolerations.length === 0 ? {} : { tolerations }),
        model: modelOf(spec, options, { runtime, mounts, secret: secretName(placed) }),
        volumes: [...new Map(mounts.map(({ volume }) => [volume.name, volume])).values()],
      },
    },
  };
}

function deploymentLife(spec: LaunchSpec, options: KserveOptions): Record<string, unknown> {
  return {
    // Two pods would want the same GPUs.
    ...(gpusOf(spec, options) === null ? {} : { deploymentStrategy: { type: 'Recreate' } }),
    terminationGracePeriodSeconds: Math.ceil(spec.stop.graceMs / 1000),
  };
}

function modelOf(
  spec: LaunchSpec,
  options: KserveOptions,
  { runtime, mounts, secret }: { runtime: string; mounts: readonly Mounted[]; secret: string },
): Record<string, unknown> {
  const fill = fillerOf(spec, options);
  const storage = storageOf(spec, options);
  const env = podVariables(withDriver(spec, options), secret, fill).map((one) =>
    typeof one['value'] === 'string' ? { ...one, value: plainText(one['value']) } : one,
  );
  return {
    modelFormat: { name: options.format },
    runtime,
    ...(storage?.key ? { storage: storage.key } : storage?.uri ? { storageUri: storage.uri } : {}),
    args: engineArgs(spec, options).map(asItStands),
    ...(env.length === 0 ? {} : { env }),
    resources: resourcesOf(spec, options),
    volumeMounts: mounts.map(({ volume, at, readOnly, subPath }) => ({
      name: volume.name,
      mountPath: at,
      ...(readOnly ? { readOnly } : {}),
      ...(subPath === undefined ? {} : { subPath }),
    })),
  };
}

/** Neither the cluster nor KServe puts anything in. */
function asItStands(word: string): string {
  return plainText(verbatim(word));
}

/** What controllers and dashboards read. */
function tellsOf(placed: Placed, options: KserveOptions): Partial<KubeObject['metadata']> {
  const { deployment } = placed;
  const { dashboard, route, connection } = options;
  const path = connectionPath(placed.spec, options);
  const profile = dashboard?.hardwareProfile;
  return {
    labels: {
      ...(dashboard ? { 'opendatahub.io/dashboard': 'true' } : {}),
      ...(route ? { 'networking.kserve.io/visibility': 'exposed' } : {}),
    },
    annotations: {
      [modeAnnotation]: modeName(options),
      ...secretAnnotation(placed).annotations,
      ...(isKnative(options) ? deadlineOf(placed.spec) : { 'serving.kserve.io/autoscalerClass': 'none' }),
      ...(dashboard
        ? {
            'openshift.io/display-name': dashboard.title ?? deployment,
            'opendatahub.io/model-type': 'generative',
          }
        : {}),
      ...(profile
        ? {
            'opendatahub.io/hardware-profile-name': profile.name,
            'opendatahub.io/hardware-profile-namespace': profile.namespace,
          }
        : {}),
      ...(connection
        ? {
            'opendatahub.io/connections': connection.secret,
            ...(path === null ? {} : { 'opendatahub.io/connection-path': path }),
          }
        : {}),
      ...(route
        ? {
            'haproxy.router.openshift.io/timeout': route.timeout,
            'security.opendatahub.io/enable-auth': String(route.auth),
          }
        : {}),
    },
  };
}
