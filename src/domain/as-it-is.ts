import { z } from 'zod';

/** What is known, by its kind, of an engine that requests go to as they are. */
export const AsItIs = z.strictObject({
  /** Paths of its own, beside the gateway's endpoints, by whose POST it computes and does nothing else. */
  computing: z.array(z.string()).readonly(),
  /** It computes with what it was started with, whatever model a request names; false: the request chooses. */
  oneModel: z.boolean(),
});
export type AsItIs = z.infer<typeof AsItIs>;
