/** What a binding gives rights to; an account that names no namespace is of the binding's own. */
interface Binding {
  readonly kind?: unknown;
  readonly subjects?: unknown;
}

/**
 * The same object, with that namespace beside each account of a binding that names none: to a cluster both are one and the same,
 * and kustomize writes it by itself. Pure.
 */
export function withSubjects<T extends Binding>(object: T, namespace: string | undefined): T {
  const { kind, subjects } = object;
  if (kind !== 'RoleBinding' || namespace === undefined || !Array.isArray(subjects)) return object;
  return {
    ...object,
    subjects: subjects.map((one: unknown) => (isAccount(one) ? { namespace, ...one } : one)),
  };
}

function isAccount(subject: unknown): subject is object {
  return (
    typeof subject === 'object' && subject !== null && 'kind' in subject && subject.kind === 'ServiceAccount'
  );
}
