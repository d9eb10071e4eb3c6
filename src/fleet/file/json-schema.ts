import { z } from 'zod';
import { FleetFile } from '../../fleet-schema.ts';

/** The fleet file as a JSON Schema, from the registries: what an editor offers is what berth reads. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(FleetFile, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => tidy(part),
  });
  // What the defaults say need not be said again, and an import may say the rest.
  const deployment = schema.properties?.['deployments'] as { additionalProperties?: { required?: string[] } };
  delete deployment.additionalProperties?.required;
  return { ...schema, title: 'Berth fleet file' };
}

/** Bounds of the number format and names of checks mean nothing to an editor. */
function tidy(part: z.core.JSONSchema.BaseSchema): void {
  if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
  if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
  if (part.format === 'starts_with') delete part.format;
}
