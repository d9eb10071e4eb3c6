import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Place } from '../../kube/client.ts';
import { findingOf } from '../../kube/foresee.ts';
import { gpusOf } from '../../kube/launched.ts';
import { objectName } from '../../kube/names.ts';
import { isKnative, modeName } from './knative-spec.ts';
import { expectKnative } from './knative.ts';
import type { KserveOptions } from './options.ts';
import { optionsOf } from './options.ts';

/** KServe takes a service of Knative in any cluster, and says in an event alone that it makes nothing of it. */
export async function missingKnative(
  place: Place,
  { deployment }: Pick<Mark, 'deployment'>,
): Promise<Finding[]> {
  try {
    await expectKnative(place, deployment);
    return [];
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'KNATIVE_MISSING') throw error;
    return [findingOf(deployment, error)];
  }
}

/** KServe never changes the mode of a service that is there. Pure. */
export function modeFinding(mark: Mark): Finding {
  const name = objectName(mark.deployment, mark.replica);
  const mode = modeName(optionsOf(mark));
  return {
    rule: 'cluster',
    severity: 'warning',
    object: mark.deployment,
    message: `KServe cannot change the mode of inference service ${name} to ${mode}: it is removed and made anew, and nobody answers meanwhile.`,
    evidence: [`inference service ${name}`, `mode ${mode}`],
    cure: 'Where that may not be, make a deployment of another name beside it, and remove this one later.',
  };
}

/** A revision comes up beside the one that serves, with GPUs of its own. Pure. */
export function roomFindings({ spec, deployment }: Mark, options: KserveOptions): Finding[] {
  const gpus = gpusOf(spec, options);
  if (!isKnative(options) || gpus === null) return [];
  const wants = `${gpus.count} ${gpus.resource}`;
  return [
    {
      rule: 'cluster',
      severity: 'warning',
      object: deployment,
      message: `Knative starts the new revision of ${deployment} beside the old one: it waits until ${wants} are free.`,
      evidence: [wants],
      cure: `Where no others are free, "berth stop ${deployment}" before; or take "mode: Knative" from the target.`,
    },
  ];
}
