import { z } from 'zod';

/** Pods of a cluster, as a NetworkPolicy names them. */
export const Peer = z.strictObject({
  namespace: z.record(z.string(), z.string()).optional().describe('labels of namespaces; default: its own'),
  pods: z.record(z.string(), z.string()).optional().describe('labels of pods; default: all'),
});
export type Peer = z.infer<typeof Peer>;
