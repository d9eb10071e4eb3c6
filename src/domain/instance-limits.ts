import { z } from 'zod';

/** What bounds each instance of a deployment, beside its slots. */
export const InstanceLimits = z.strictObject({
  rps: z
    .number()
    .positive()
    .optional()
    .describe('Requests per second; what comes faster waits in the queue.'),
  kvTokens: z
    .int()
    .positive()
    .optional()
    .describe('Tokens that its cache holds over all requests (default: as vLLM tells; else no bound).'),
  adaptive: z
    .boolean()
    .optional()
    .describe('Fewer requests at once while its own figures show that some wait there (default true).'),
});
export type InstanceLimits = z.infer<typeof InstanceLimits>;
