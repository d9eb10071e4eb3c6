import type { ClusterGateway } from '../domain/cluster-gateway.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Finding } from '../domain/finding.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster } from '../domain/secret.ts';
import { getMetadata } from './client.ts';
import type { Place } from './client.ts';
import type { KubeMeta } from './object.ts';

/** An object that a pod names and somebody else makes. */
export interface NamedObject {
  readonly kind: 'Secret' | 'ServiceAccount';
  readonly name: string;
  /** What a pod does without it, after "pods". */
  readonly without: string;
  readonly severity: Finding['severity'];
  /** What more is wanted of it: the end of a sentence that begins with its name; null: nothing. */
  readonly lacks?: (metadata: Pick<KubeMeta, 'annotations'>) => string | null;
}

const waits = { severity: 'critical', without: 'would wait for it' } as const;
const refused = { severity: 'critical', without: 'could not be made without it' } as const;
const pulls = { severity: 'warning', without: 'would pull their image without its keys' } as const;

/** What the pods of this spec name. Pure. */
export function namedBy(
  spec: LaunchSpec,
  { serviceAccount, pullSecrets }: { serviceAccount?: string | undefined; pullSecrets: readonly string[] },
): NamedObject[] {
  const refs = Object.values(spec.secrets).filter(isOfCluster);
  const secrets = [...refs.map(({ secretRef }) => secretRef?.name), spec.fetched?.secret];
  const accounts = [serviceAccount, ...refs.map((ref) => ref.serviceAccount)];
  return [
    ...stated(secrets).map((name): NamedObject => ({ kind: 'Secret', name, ...waits })),
    ...stated(accounts).map((name): NamedObject => ({ kind: 'ServiceAccount', name, ...refused })),
    ...pullSecrets.map((name): NamedObject => ({ kind: 'Secret', name, ...pulls })),
  ];
}

/** What the pods of a gateway name. Pure. */
export function namedByGateway({
  variables,
  tlsSecret,
}: Pick<ClusterGateway, 'variables' | 'tlsSecret'>): NamedObject[] {
  const named = Object.values(variables).map((ref) => ('env' in ref ? ref.secret?.name : undefined));
  return stated([...named, tlsSecret]).map((name) => ({ kind: 'Secret', name, ...waits }));
}

function stated(names: readonly (string | undefined)[]): string[] {
  return [...new Set(names.flatMap((name) => name ?? []))];
}

/** Those of them that are not there. Who may not look at them is told nothing; only their metadata is asked for. */
export async function namedFindings(
  place: Place,
  { deployment }: Pick<Mark, 'deployment'>,
  named: readonly NamedObject[],
): Promise<Finding[]> {
  const found = await Promise.all(named.map((one) => findingOf(place, deployment, one)));
  return found.flatMap((one) => one ?? []);
}

async function findingOf(
  place: Place,
  object: string,
  { kind, name, without, severity, lacks }: NamedObject,
): Promise<Finding | null> {
  const metadata = await getMetadata(place, { apiVersion: 'v1', kind, name }).catch((error: unknown) => {
    if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return undefined;
    throw error;
  });
  if (metadata === undefined) return null;
  const lack = metadata && (lacks?.({ annotations: metadata.annotations ?? {} }) ?? null);
  if (metadata && lack === null) return null;
  const where = `${kind} ${name} in namespace ${place.namespace}`;
  return {
    rule: 'cluster-object-missing',
    severity,
    object,
    message: lack === null ? `There is no ${where}: pods ${without}.` : `The ${where} ${lack}.`,
    evidence: [`${kind} ${name}`],
    cure: lack === null ? 'Make it first, or name one that is there.' : 'Add it, or name another one.',
  };
}
