import { createHash } from 'node:crypto';
import type { Mark } from '../domain/instance.ts';

/** Labels that tell berth's objects. They stand on the objects alone, never in a pod's template or a selector. */
export const fleetLabel = 'berth.dev/fleet';
export const markAnnotation = 'berth.dev/mark';
/** Beside the mark: the objects as they were sent. */
export const writtenAnnotation = 'berth.dev/written';
/** Beside both: what ran before, by an owner of its own, so that no change of the rest takes it away. */
export const ranAnnotation = 'berth.dev/ran';
export const ranManager = 'berth-ran';
/** On what somebody else made and berth has changed nothing of yet. */
export const adoptedAnnotation = 'berth.dev/adopted';
/** Of what Helm has installed: the name of its release. */
export const helmAnnotation = 'meta.helm.sh/release-name';
export const fleetIdLabel = 'berth.dev/fleet-id';
/** Of Jobs that fetch: the place that they fill. */
export const fetchLabel = 'berth.dev/fetch';

/** A Secret that changes makes no new pods, and engines read theirs as they start: this does. Keyed hashes, no values. */
export function secretAnnotation({ secrets }: { readonly secrets?: Mark['secrets'] | undefined }): {
  annotations?: Record<string, string>;
} {
  if (!secrets || Object.keys(secrets.of).length === 0) return {};
  const text = createHash('sha256').update(JSON.stringify(secrets)).digest('hex').slice(0, 32);
  return { annotations: { 'berth.dev/secrets': text } };
}
/** What the objects of the gateway in a cluster are called, and what tells them from those of engines. */
export const gatewayName = 'berth-gateway';
export const gatewayAnnotation = 'berth.dev/gateway';
/** Beside it: keyed hashes of its secrets, which files that are rendered have none of. */
export const gatewaySecretsAnnotation = 'berth.dev/gateway-secrets';
export const gatewayLabels = {
  'app.kubernetes.io/name': gatewayName,
  'app.kubernetes.io/component': 'gateway',
};

/** What Kubernetes takes as a name of everything that is made here, a Service included; longer ones leave no room for endings. */
const plain = /^[a-z]([a-z0-9-]{0,46}[a-z0-9])?$/;

/** The name of a replica's objects. One that Kubernetes would not take is made to fit, and stays apart from all others. */
export function objectName(deployment: string, replica: number): string {
  const wanted = replica === 0 ? deployment : `${deployment}-${replica}`;
  if (plain.test(wanted)) return wanted;
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 6);
  const fitting = wanted.replaceAll(/[^a-z0-9]+/g, '-').slice(0, 36);
  return `b-${fitting}-${hash}`.replaceAll(/-+/g, '-');
}

/** The Secret with the values that the pods of a replica are given from here. */
export function engineSecretName({ deployment, replica }: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${objectName(deployment, replica)}-secrets`;
}

/** By these a Service and a Deployment know their pods; they can never be changed again. */
export function selectorOf(deployment: string, replica: number): Record<string, string> {
  return {
    'app.kubernetes.io/name': objectName(deployment, 0),
    'app.kubernetes.io/instance': objectName(deployment, replica),
  };
}
