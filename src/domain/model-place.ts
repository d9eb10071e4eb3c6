import { z } from 'zod';
import { Resources } from './resources.ts';

const IntoClaim = z
  .strictObject({
    size: z
      .string()
      .regex(/^\d+(Mi|Gi|Ti)$/)
      .describe('Size of the claim.')
      .meta({ examples: ['50Gi'] }),
    storageClass: z.string().min(1).optional().describe("Kind of storage (default: the cluster's own)."),
    access: z
      .enum(['ReadWriteOnce', 'ReadWriteMany'])
      .default('ReadWriteOnce')
      .describe('Whether pods of several nodes use it at once.'),
    berth: z
      .string()
      .min(1)
      .optional()
      .describe('Image of berth, whose "berth pull" fetches (default: that of `gateway.image`).'),
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Image with a shell and another program that fetches (default without one of berth: kserve/kserve-storage-initializer:v0.17.0).',
      ),
    entrypoint: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('That program in the image; it is given the source and the folder.'),
    secret: z
      .string()
      .min(1)
      .optional()
      .describe('Secret of the cluster with its variables, such as HF_TOKEN or the keys of S3.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .optional()
      .describe('More variables of it that are no secrets, such as HF_ENDPOINT or AWS_ENDPOINT_URL.'),
    ca: z
      .strictObject({
        configMap: z.string().min(1).describe('ConfigMap of the cluster.'),
        key: z.string().min(1).default('ca.crt').describe('Its key.'),
      })
      .optional()
      .describe('Authorities that sign for the place of the model, beside the usual ones.'),
    resources: Resources.optional().describe(
      'What fetching may take (default: 100m and 512Mi kept for it, 2 and 4Gi at most).',
    ),
    sums: z
      .record(
        z
          .string()
          .regex(/^[^/\s]\S*$/)
          .refine((path) => !path.split('/').includes('..')),
        z.string().regex(/^[0-9a-f]{64}$/),
      )
      .optional()
      .describe(
        'SHA-256 of files, by their path below the folder: one with another sum is taken away, and the fetch has failed.',
      ),
  })
  .describe('Makes the claim and a Job that fetches the source into it, once for all replicas.');

/** Where a cluster has the files of a model. */
export const ModelPlace = z.union([
  z.strictObject({
    hostPath: z.string().startsWith('/').describe('Folder on the disk of nodes that holds it.'),
    node: z.string().min(1).optional().describe('The one node that has it.'),
    path: z
      .string()
      .regex(/^[^/]/)
      .optional()
      .describe('Its path in there (default: the file name of its source, or the folder itself).'),
  }),
  z.strictObject({
    pvc: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
      .describe('Claim of a volume that holds it.'),
    path: z.string().min(1).optional().describe('Its path there (default: its file name, or all of it).'),
    fetch: IntoClaim.optional(),
  }),
]);
