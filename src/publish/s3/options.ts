import { z } from 'zod';
import { NamedAnySecret } from '../../domain/units.ts';

export const S3PublisherOptions = z.strictObject({
  kind: z.literal('s3'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
    .meta({ examples: ['results'] })
    .describe('bucket that is there already'),
  endpoint: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+\/?$/)
    .meta({ examples: ['https://minio:9000'] })
    .optional()
    .describe("address of what speaks like S3; by default AWS_ENDPOINT_URL, else Amazon's own"),
  region: z.string().min(1).optional().describe('region; by default AWS_REGION, else us-east-1'),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/)
    .default('berth')
    .describe('what keys begin with'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('authorities (PEM) that are trusted in place of the usual ones'),
  secret: NamedAnySecret.optional().describe(
    'where the keys lie: lines AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…; by default the variables of these names',
  ),
});
export type S3PublisherOptions = z.infer<typeof S3PublisherOptions>;
