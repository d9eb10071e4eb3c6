import { createHash } from 'node:crypto';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Live } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { optionsOf } from './options.ts';
import type { KserveOptions } from './options.ts';

/** The longest answer that Knative lets through as it is installed. It also is how long a pod that ends may take. */
const answerSeconds = 600;

/** What Knative itself allows a start by default. */
const usualDeadline = 600;

/** Beyond the start of an engine: what its node takes for the pod. */
const spareSeconds = 60;

/** A template that says the same as another one is of the same service, however it was defaulted since. */
export const specAnnotation = 'berth.dev/spec';

/** On a service: what runs its pods. */
export const modeAnnotation = 'serving.kserve.io/deploymentMode';

/** Whether Knative runs its pods; else a plain Deployment does. Pure. */
export function isKnative({ mode }: Pick<KserveOptions, 'mode'>): boolean {
  return mode === 'Knative';
}

/** What KServe calls the mode: all its versions know the older names, and newer ones write theirs in place of them. Pure. */
export function modeName({ mode }: Pick<KserveOptions, 'mode'>): string {
  return mode === 'Knative' ? 'Serverless' : mode;
}

/** A service that is there is of the other mode, in which it stays for as long as it is there. Pure. */
export function changesMode({ metadata }: Live, mark: Mark): boolean {
  const there = metadata.annotations?.[modeAnnotation] ?? '';
  return ['Knative', 'Serverless'].includes(there) !== isKnative(optionsOf(mark));
}

/** A predictor of Knative: it takes neither a strategy nor a grace of its own, and would refuse the whole. Pure. */
export function knativeLife(): Record<string, unknown> {
  return { timeout: answerSeconds };
}

/** Knative gives up on a start after ten minutes, which a large model can take longer for. Pure. */
export function deadlineOf({ readiness }: Pick<LaunchSpec, 'readiness'>): Record<string, string> {
  const seconds = Math.ceil(readiness.startTimeoutMs / 1000) + spareSeconds;
  return { 'serving.knative.dev/progress-deadline': `${Math.max(usualDeadline, seconds)}s` };
}

/**
 * The service with a hash of what makes its pods, which flows into the template of its revision: there it tells whether KServe has
 * taken this very state over. It changes with what makes a new revision by itself, and with nothing else. Pure.
 */
export function signed(service: KubeObject, beside: readonly KubeObject[]): KubeObject {
  const { metadata, spec } = service;
  const text = JSON.stringify([metadata.annotations, spec, beside.map((one) => one['spec'])]);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return {
    ...service,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [specAnnotation]: hash } },
  };
}
