import { z } from 'zod';
import { NamedAnySecret } from '../../domain/units.ts';

export const ModelRegistryOptions = z.strictObject({
  kind: z.literal('model-registry'),
  url: z
    .string()
    .regex(/^https?:\/\/[^@\s?#]+$/)
    .meta({ examples: ['https://registry.models.svc:8443'] })
    .describe('address of the registry, with the path that leads to it where there is one'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('authorities (PEM) that are trusted in place of the usual ones'),
  auth: NamedAnySecret.optional().describe('where the token lies that it asks for'),
  as: z
    .array(z.enum(['properties', 'description']))
    .min(1)
    .default(['properties'])
    .describe('as properties of the version, which can be searched, and as text in its description'),
  models: z
    .record(
      z.string().min(1),
      z.strictObject({
        name: z.string().min(1).describe('name of the registered model'),
        version: z.string().min(1).default('current').describe('name of its version'),
      }),
    )
    .default({})
    .describe('registered models by deployment; by default a model of its name with the version "current"'),
});
export type ModelRegistryOptions = z.infer<typeof ModelRegistryOptions>;
