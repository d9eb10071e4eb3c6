import { z } from 'zod';
import { SecretRef } from './secret.ts';

/** The gateway as pods of a cluster: everything that its objects are made from. Secrets are references. */
export const ClusterGateway = z.strictObject({
  image: z.string(),
  replicas: z.int(),
  port: z.int(),
  /** The fleet as `berth serve` reads it there. */
  fleetFile: z.string(),
  /** Variables that it wants, and where the secret of each lies here. */
  variables: z.record(z.string(), SecretRef),
  /** Deployments whose engines have a key of their own: the gateway reads it from their Secret. */
  engineKeys: z.array(z.string()),
  allowAnonymous: z.boolean(),
  /** The fleet file wants it there, and not the command line of `berth render` alone: then plans know of it. */
  inFile: z.boolean(),
  /** Time that open requests get when a pod ends. */
  drainMs: z.int(),
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
  allowAnonymous: z.boolean(),
  inFile: z.boolean(),
  drainMs: z.int(),
});
export type GatewayMark = z.infer<typeof GatewayMark>;

/** The fleet as one file for a gateway that runs elsewhere. */
export interface InsideFile {
  readonly text: string;
  /** Variables that it wants, each with a secret. */
  readonly variables: readonly string[];
  /** Why a gateway elsewhere cannot work with it, as ends of a sentence. */
  readonly obstacles: readonly string[];
}
