import { z } from 'zod';
import { SecretRef } from './secret.ts';

/** Where its pods have their secrets, as files: a variable would be shown to whoever may look at the process. */
export const gatewaySecretsFolder = '/run/secrets/berth';

/** And their certificate with its key, as the Secret has them. */
export const gatewayTlsFolder = '/run/secrets/berth-tls';

/** The gateway as pods of a cluster: everything that its objects are made from. Secrets are references. */
export const ClusterGateway = z.strictObject({
  image: z.string(),
  replicas: z.int(),
  port: z.int(),
  /** The fleet as `berth serve` reads it there. */
  fleetFile: z.string(),
  /** Secrets that it reads there, each as a file of this name, and where each lies: here, or in a Secret there. */
  variables: z.record(z.string(), SecretRef),
  /** Keys that engines ask for, by deployment, and where each lies here: the gateway is given them as files. */
  engineKeys: z.record(z.string(), SecretRef),
  /** The Secret there with its certificate; absent: it does not speak TLS. */
  tlsSecret: z.string().optional(),
  allowAnonymous: z.boolean(),
  /** The fleet file wants it there, and not the command line of `berth render` alone: then plans know of it. */
  inFile: z.boolean(),
  /** Time that open requests get when a pod ends. */
  drainMs: z.int(),
  /** The cluster chooses the user of its pods; absent: they have a fixed one. */
  anyUser: z.literal(true).optional(),
});
export type ClusterGateway = z.infer<typeof ClusterGateway>;

/** What stands on the gateway's Deployment, by which a later plan sees what was asked for: the file by its hash. */
export const GatewayMark = z.strictObject({
  version: z.literal(1),
  image: z.string(),
  replicas: z.int(),
  port: z.int(),
  file: z.string(),
  variables: z.array(z.string()),
  engineKeys: z.array(z.string()),
  tlsSecret: z.string().optional(),
  allowAnonymous: z.boolean(),
  inFile: z.boolean(),
  drainMs: z.int(),
  anyUser: z.literal(true).optional(),
});
export type GatewayMark = z.infer<typeof GatewayMark>;

/** The fleet as one file for a gateway that runs elsewhere. */
export interface InsideFile {
  readonly text: string;
  /** Secrets that it reads, by the names of their files below `gatewaySecretsFolder`, and where the file here says that they lie. */
  readonly secrets: Readonly<Record<string, SecretRef>>;
  /** Why a gateway elsewhere cannot work with it, as ends of a sentence. */
  readonly obstacles: readonly string[];
}
