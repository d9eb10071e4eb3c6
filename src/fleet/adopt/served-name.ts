import { z } from 'zod';
import { engineOf } from '../../engines/registry.ts';

/** The name that a server answers to, where its options have a word for it and say none: by default berth would take the deployment's. */
export function servedName(
  engine: string,
  options: Readonly<Record<string, unknown>>,
  name: string | null | undefined,
): { servedModel?: string } {
  const schema = engine === 'unknown' ? null : engineOf(engine).options;
  const known = schema instanceof z.ZodObject && 'servedModel' in schema.shape;
  return known && typeof name === 'string' && options['servedModel'] === undefined
    ? { servedModel: name }
    : {};
}
