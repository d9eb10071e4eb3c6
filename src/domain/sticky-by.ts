import { z } from 'zod';

/** Header by which a client says which of its requests belong together. */
export const unitHeader = 'x-berth-unit';

const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/)
  .meta({ examples: ['x-conversation-id'] })
  .describe('Name of a request header; requests with the same value belong together.');

/** By what requests are held together. */
export const StickyBy = z
  .union([z.enum(['session', 'key']), z.strictObject({ header: HeaderName })])
  .describe(
    'What holds requests together: "key", the API key; "session", the header x-berth-unit, else "prompt_cache_key" or "user" of the body, else the key; or a header of your own.',
  );
export type StickyBy = z.infer<typeof StickyBy>;
