import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { getObject, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { everyNamespace } from '../../kube/kinds.ts';
import type { KserveOptions } from './options.ts';

const apiVersion = 'serving.kserve.io/v1alpha1';

const Runtime = Live.extend({
  spec: z.object({
    disabled: z.boolean().nullish(),
    supportedModelFormats: z.array(z.object({ name: z.string() })).nullish(),
  }),
});
type Runtime = z.infer<typeof Runtime>;

/** KServe looks into the namespace first. */
const kinds = ['ServingRuntime', 'ClusterServingRuntime'] as const;

/** What keeps KServe from a runtime that is only named. Who may not look at one of its kinds is told nothing. */
export async function runtimeFindings(
  place: Place,
  deployment: string,
  { runtime, format }: Pick<KserveOptions, 'runtime' | 'format'>,
): Promise<Finding[]> {
  if (!runtime || !('use' in runtime)) return [];
  const name = runtime.use;
  const about = { rule: 'cluster-object-missing', severity: 'critical', object: deployment } as const;
  for (const kind of kinds) {
    const found = await seen(place, kind, name);
    if (found === 'hidden') return [];
    if (found === null) continue;
    const lack = lackOf(found, format);
    if (lack === null) return [];
    return [
      {
        ...about,
        message: `The ${kind} ${name} ${lack.what}: KServe would run no pods by it.`,
        evidence: [`${kind} ${name}`],
        cure: lack.cure,
      },
    ];
  }
  return [
    {
      ...about,
      message: `There is neither a ServingRuntime ${name} in namespace ${place.namespace} nor a ClusterServingRuntime of that name: KServe would run no pods.`,
      evidence: kinds.map((kind) => `${kind} ${name}`),
      cure: 'Make it first, name one that is there, or have one made: runtime: {create: NAME}.',
    },
  ];
}

async function seen(
  place: Place,
  kind: (typeof kinds)[number],
  name: string,
): Promise<Runtime | null | 'hidden'> {
  const namespace = kind === 'ServingRuntime' ? place.namespace : everyNamespace;
  try {
    return await getObject({ ...place, namespace }, { apiVersion, kind, name }, Runtime);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return 'hidden';
    throw error;
  }
}

/** Pure. */
function lackOf({ spec }: Runtime, format: string): { what: string; cure: string } | null {
  if (spec.disabled === true) return { what: 'is disabled', cure: 'Enable it, or name another one.' };
  const formats = (spec.supportedModelFormats ?? []).map(({ name }) => name);
  if (formats.includes(format)) return null;
  const all = formats.length === 0 ? '' : ` (it names ${[...new Set(formats)].join(', ')})`;
  return {
    what: `does not run models of format ${format}${all}`,
    cure: 'Say target.format as it is called there, or name another runtime.',
  };
}
