import { z } from 'zod';
import { Hardware } from '../hardware.ts';

/** What was found about the engine behind the measured server: enough to set up the same one again. Null: it does not tell. */
export const EngineFacts = z.strictObject({
  kind: z.enum(['llama.cpp', 'vllm']).nullable(),
  version: z.string().nullable(),
  /** Context of one request in tokens, and requests at once. */
  context: z.int().nullable(),
  slots: z.int().nullable(),
  model: z
    .strictObject({
      path: z.string(),
      bytes: z.int().nullable(),
      /** Of the whole file; null when it is none that this machine can read, or hashing was cut short. */
      sha256: z.string().nullable(),
    })
    .nullable(),
  /** As the engine states them: vLLM's cache_config_info, llama-server's default parameters. */
  settings: z.record(z.string(), z.string()),
  /** Command line of its process where that runs on this machine, secrets replaced. */
  argv: z.array(z.string()).nullable(),
  /** The machine that it runs on; null when that is another one. */
  hardware: Hardware.nullable(),
  /** Why something above is not known, one sentence each. */
  notes: z.array(z.string()),
});
export type EngineFacts = z.infer<typeof EngineFacts>;
