import { InvalidArgumentError } from 'commander';
import { ClusterPlace } from '../domain/host-access.ts';

/** Reads the name of a namespace from the command line. */
export function namespaceOption(text: string): string {
  if (ClusterPlace.shape.namespace.safeParse(text).success) return text;
  throw new InvalidArgumentError(
    'A namespace is called by lower-case letters, digits and dashes, 63 at most.',
  );
}
