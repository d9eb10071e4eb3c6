import { z } from 'zod';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { podMarksIn } from '../../domain/audit/workloads.ts';
import { editDistance } from '../../domain/nearest.ts';
import type { Rule } from './contract.ts';

const names = z.record(z.string(), z.string()).nullish().catch(null);

/** Annotations and labels that KServe and OpenShift AI read. */
const known = [
  'serving.kserve.io/deploymentMode',
  'serving.kserve.io/autoscalerClass',
  'serving.kserve.io/metric',
  'serving.kserve.io/targetUtilizationPercentage',
  'serving.kserve.io/stop',
  'serving.kserve.io/enable-prometheus-scraping',
  'serving.kserve.io/enable-metric-aggregation',
  'serving.kserve.io/storageSecretName',
  'serving.kserve.io/inferenceservice',
  'security.opendatahub.io/enable-auth',
  'networking.kserve.io/visibility',
  'opendatahub.io/dashboard',
  'opendatahub.io/model-type',
  'opendatahub.io/genai-asset',
  'opendatahub.io/hardware-profile-name',
  'opendatahub.io/hardware-profile-namespace',
  'opendatahub.io/recommended-accelerators',
  'opendatahub.io/runtime-version',
  'opendatahub.io/template-name',
  'opendatahub.io/template-display-name',
  'openshift.io/display-name',
  'openshift.io/description',
  'haproxy.router.openshift.io/timeout',
  'sidecar.istio.io/inject',
  'prometheus.io/scrape',
  'prometheus.io/port',
  'prometheus.io/path',
  'prometheus.io/scheme',
];

const modeKey = 'serving.kserve.io/deploymentMode';
/** As they are written; older and newer names for the same are all read. */
const modes = ['Standard', 'Knative', 'ModelMesh', 'RawDeployment', 'Serverless'];

const readForMode = ['InferenceService', 'InferenceGraph', 'LLMInferenceService'];

export const unknownAnnotation: Rule = {
  id: 'unknown-annotation',
  severity: 'warning',
  finds:
    'an annotation or label that is one or two letters from one that KServe, OpenShift AI or Prometheus reads, or a deployment mode that KServe does not know',
  why: 'What is misspelt is ignored without a word.',
  find: ({ objects }) =>
    objects.flatMap((object) => {
      const { annotations, name } = object.metadata;
      // What a controller has made has them from its owner; but KServe reads the mode of a service whoever made that.
      const isMade = (object.metadata.ownerReferences ?? []).length > 0;
      const mode = annotations?.[modeKey];
      if (mode !== undefined && !modes.includes(mode) && (!isMade || readForMode.includes(object.kind)))
        return [
          {
            object: titleOf(object),
            names: [name],
            message: `Nothing knows the deployment mode ${mode}.`,
            evidence: [`${modeKey}: ${mode}; known are ${modes.join(', ')}.`],
            cure: 'Write one that is known.',
          },
        ];
      if (isMade) return [];
      const wrong = [...new Set([object.metadata, ...withinOf(object)].flatMap(keysOf))].flatMap((key) => {
        if (known.includes(key)) return [];
        const meant = known.find((one) => editDistance(one.toLowerCase(), key.toLowerCase()) <= 2);
        return meant === undefined ? [] : [{ key, meant }];
      });
      if (wrong.length === 0) return [];
      return [
        {
          object: titleOf(object),
          names: [name],
          message: `Nothing reads ${wrong.map(({ key }) => key).join(', ')}.`,
          evidence: wrong.map(({ key, meant }) => `${key} is not known; ${meant} is.`),
          cure: `Write it as ${wrong.map(({ meant }) => meant).join(', ')}.`,
        },
      ];
    }),
};

const Marks = z.object({ annotations: names, labels: names }).nullish().catch(null);
const Within = z.object({
  predictor: Marks,
  transformer: Marks,
  explainer: Marks,
  annotations: names,
  labels: names,
});
type Marks = z.infer<typeof Marks>;

/** What its pods are to have: of templates, of the parts of an InferenceService, and of a runtime, which has them in its spec. */
function withinOf(object: KubeObject): Marks[] {
  const { data } = Within.safeParse(object.spec);
  const own = object.kind.endsWith('ServingRuntime') && data ? [data] : [];
  return [...podMarksIn(object), data?.predictor, data?.transformer, data?.explainer, ...own];
}

function keysOf(marks: Marks): string[] {
  return [...Object.keys(marks?.annotations ?? {}), ...Object.keys(marks?.labels ?? {})];
}
