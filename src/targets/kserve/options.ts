import { z } from 'zod';
import type { Mark } from '../../domain/instance.ts';
import { podOptions } from '../../kube/pod-options.ts';

const KubeName = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);

/** Keys of `target:` for an InferenceService of KServe. */
export const KserveOptions = z.strictObject({
  kind: z.literal('kserve'),
  ...podOptions,
  mode: z
    .enum(['RawDeployment', 'Standard', 'Knative'])
    .default('RawDeployment')
    // Newer versions of KServe still take the older name, and older ones know no other.
    .transform((mode) => (mode === 'Standard' ? 'RawDeployment' : mode))
    .describe(
      'whether plain Deployments run it (Standard is the newer name of the same), or Knative, which has a new revision come up beside the old one at each change',
    ),
  runtime: z
    .union([
      z
        .strictObject({ create: KubeName.describe('name of the ServingRuntime that is made') })
        .describe("a runtime of the deployment's own"),
      z
        .strictObject({ use: KubeName.describe('name of the ServingRuntime, or ClusterServingRuntime') })
        .describe('one that is there; it is only named'),
    ])
    .optional()
    .describe('what runs the model; by default a runtime is made under the name of the deployment'),
  format: z
    .string()
    .min(1)
    .default('vLLM')
    .describe('format of the model, by which runtimes are found')
    .meta({ examples: ['vLLM', 'gguf'] }),
  connection: z
    .strictObject({
      secret: KubeName.describe('name of its Secret'),
      path: z.string().min(1).optional().describe('folder in there; by default that of an s3:// source'),
    })
    .optional()
    .describe('a connection of OpenShift AI, by which the model is fetched in place of its source'),
  dashboard: z
    .strictObject({
      title: z.string().min(1).optional().describe('name to show; by default that of the deployment'),
      hardwareProfile: z
        .strictObject({
          name: z.string().min(1).describe('name of the profile'),
          namespace: z.string().min(1).default('redhat-ods-applications').describe('its namespace'),
        })
        .optional()
        .describe('hardware profile of OpenShift AI; then neither nodeSelector nor node'),
    })
    .optional()
    .describe('labels and annotations by which OpenShift AI shows it'),
  route: z
    .strictObject({
      tls: z.literal('edge').default('edge').describe('where TLS ends'),
      timeout: z.string().min(1).default('600s').describe('longest answer'),
      auth: z
        .boolean()
        .default(false)
        .describe(
          'whether a token of the cluster is asked for; an account is made that may ask (NAME-sa, with a Role and a RoleBinding)',
        ),
      token: z
        .boolean()
        .optional()
        .describe('whether a Secret (NAME-token) holds a token of that account, which has no end'),
    })
    .optional()
    .describe('a way in from outside, by a Route of OpenShift'),
  patch: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('a JSON merge patch over the InferenceService that berth writes'),
});
export type KserveOptions = z.infer<typeof KserveOptions>;

/** Its runtime is there already, and says itself what is run and how it is started. */
export function isOnlyNamed({ runtime }: Pick<KserveOptions, 'runtime'>): boolean {
  return runtime !== undefined && 'use' in runtime;
}

/** Those of a mark; this schema has parsed them before they were written there. */
export function optionsOf({ target }: Mark): KserveOptions {
  return target as unknown as KserveOptions;
}
