import { stringify } from 'yaml';

/** Long lines stay whole, so that an argument can be found by its text. */
export function yamlOf(object: unknown): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
