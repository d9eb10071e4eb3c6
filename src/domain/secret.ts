import { z } from 'zod';
import { FilePart } from './file-part.ts';

/** Where a secret lies. Values never travel in plans, marks or logs; only the target resolves a reference. */
export const SecretRef = z.union([
  z.strictObject({
    env: z.string().min(1),
    /** A file of lines NAME=VALUE that has the variable too, for when the environment has none. */
    dotenv: z.string().min(1).optional(),
    /** The key of a Secret of a cluster: a gateway that runs there is given it as this variable, and nobody here has it. */
    secret: z.strictObject({ name: z.string().min(1), key: z.string().min(1) }).optional(),
  }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

/** Of an object of a cluster, as the fleet file names it. */
export const KubeName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
  .meta({ examples: ['huggingface-secret'] });

/** A Secret that a cluster has, whoever made it, or the token of one of its service accounts: its pods alone are given it. */
export const ClusterSecret = z
  .strictObject({
    secretRef: z
      .strictObject({
        name: KubeName.describe('Its name, in the namespace of the host.'),
        key: z
          .string()
          .regex(/^[A-Za-z0-9._-]+$/)
          .optional()
          .describe('The one of its values that is meant; without it all of them, as for S3.'),
      })
      .optional()
      .describe('A Secret of the cluster, also one that an ExternalSecret makes.'),
    serviceAccount: KubeName.optional().describe(
      'A service account of the cluster: the pod runs as it, and is given a token of it that is renewed.',
    ),
  })
  .refine((one) => (one.secretRef === undefined) !== (one.serviceAccount === undefined), {
    error: 'It names nothing, or two things.',
    params: { cure: 'Write one of secretRef and serviceAccount.' },
  });
export type ClusterSecret = z.infer<typeof ClusterSecret>;

/**
 * One value of a Secret as a variable of a gateway in the cluster, under a name that no other value gets. What is no single
 * value is told by the checks of the file.
 */
export function variableOfSecret({ secretRef }: ClusterSecret): SecretRef & { readonly env: string } {
  const { name = '', key = '' } = secretRef ?? {};
  const plain = `${name}/${key}`.replaceAll(
    /[^A-Za-z0-9]/g,
    (one) => `_${one.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return { env: `BERTH_SECRET_${plain}`, ...(name && key ? { secret: { name, key } } : {}) };
}

/** Wherever it lies. */
export const AnySecret = z.union([SecretRef, ClusterSecret]);
export type AnySecret = z.infer<typeof AnySecret>;

/**
 * A text file of the machine that berth runs on, such as a chat template, which an engine is given the way secrets are. It is none:
 * what it holds is known by its digest.
 */
export const GivenFile = z.strictObject({
  given: z.string().min(1),
  sha256: FilePart,
  bytes: z.int().min(0),
});
export type GivenFile = z.infer<typeof GivenFile>;

/** What an engine is given as a file of its own. */
export const EngineSecret = z.union([AnySecret, GivenFile]);
export type EngineSecret = z.infer<typeof EngineSecret>;

export function isOfCluster(ref: EngineSecret): ref is ClusterSecret {
  return 'secretRef' in ref || 'serviceAccount' in ref;
}

export function isGiven(ref: EngineSecret): ref is GivenFile {
  return 'given' in ref;
}

/** A secret whose value is read here. */
export function isOfHere(ref: EngineSecret): ref is SecretRef {
  return 'env' in ref || 'file' in ref;
}

/** "Secret minio-connection", "HF_TOKEN": what a person knows it by. */
export function secretTitle(ref: EngineSecret): string {
  if ('env' in ref) return ref.secret ? `key ${ref.secret.key} of Secret ${ref.secret.name}` : ref.env;
  if ('file' in ref) return ref.file;
  if (isGiven(ref)) return ref.given;
  if (ref.serviceAccount !== undefined) return `service account ${ref.serviceAccount}`;
  const { name = '', key } = ref.secretRef ?? {};
  return key === undefined ? `Secret ${name}` : `key ${key} of Secret ${name}`;
}

/** Why a machine cannot be given these, as the end of a sentence; null: it can. */
export function machineSecretRefusal({
  secrets,
  secretEnv = {},
}: {
  readonly secrets: Readonly<Record<string, EngineSecret>>;
  readonly secretEnv?: Readonly<Record<string, string>> | undefined;
}): string | null {
  const [variable] = Object.keys(secretEnv);
  if (variable !== undefined)
    return `a secret in the variable ${variable} would show there to others; have the program read a file, or inherit the variable from the shell`;
  const found = Object.values(secrets).find(isOfCluster);
  return found ? `the ${secretTitle(found)} is given to pods of its cluster alone` : null;
}

const hidden = '[secret]';

/** A text of a server that was shown the secret and may repeat it, also where the text was cut within it. */
export function hideSecret(text: string, secret: string | null): string {
  if (!secret) return text;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  const whole = forms.reduce((now, form) => now.replaceAll(form, hidden), text);
  for (let length = secret.length - 1; length >= 6; length -= 1)
    if (whole.endsWith(secret.slice(0, length))) return `${whole.slice(0, -length)}${hidden}`;
  return whole;
}
