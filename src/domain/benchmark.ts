import { z } from 'zod';

/** The part of a registry entry that the fleet file needs: its keys, told apart by `kind`. */
interface Described {
  readonly options: z.ZodType<{ kind: string }>;
}

/** A discriminated union over a registry, typed by its entries. */
function unionOf<const Entries extends readonly [Described, ...Described[]]>(entries: Entries) {
  const options = entries.map((entry) => entry.options) as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion('kind', options) as unknown as z.ZodType<
    z.infer<Entries[number]['options']>,
    z.input<Entries[number]['options']>
  >;
}

/**
 * One entry of the fleet file's `benchmarks`, made from the registries of profiles and datasets.
 * Lengths count per stage; without `seconds` and `requests` a stage runs for 30 s.
 */
export function benchmarkSchema<
  const Profiles extends readonly [Described, ...Described[]],
  const Datasets extends readonly [Described, ...Described[]],
>(profiles: Profiles, datasets: Datasets) {
  return z.strictObject({
    of: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe('Deployment, or deployments, that are measured one after the other.'),
    profile: unionOf(profiles).describe('The shape of the load.'),
    data: unionOf(datasets).optional().describe('Where the prompts come from.'),
    seconds: z.number().positive().optional().describe('Admission stops after so many seconds per stage.'),
    requests: z.int().positive().optional().describe('Admission stops after so many requests per stage.'),
    warmup: z
      .union([
        z.int().min(0),
        z.strictObject({ seconds: z.number().positive() }),
        z.strictObject({ requests: z.int().positive() }),
      ])
      .optional()
      .describe('Requests (or seconds) of the same load before the measured ones; at least one per stream.'),
    drainSeconds: z
      .number()
      .min(0)
      .optional()
      .describe('Time that open requests get after admission has stopped.'),
    timeoutSeconds: z.number().positive().optional().describe('Longest time of one request.'),
    via: z
      .enum(['gateway', 'instance'])
      .optional()
      .describe('Through the gateway, or straight to the first instance (default).'),
    api: z.enum(['chat', 'completions']).optional().describe('Which API is asked (default chat).'),
    stream: z.boolean().optional().describe('Stream the answers; without it there is no TTFT.'),
    maxTokens: z.int().positive().optional().describe('Output tokens that each request asks for.'),
    temperature: z.number().min(0).max(2).optional().describe('Temperature that each request asks for.'),
    ignoreEos: z.boolean().optional().describe('Ask for answers of full length, where the engine can.'),
    cache: z
      .enum(['cold', 'warm'])
      .optional()
      .describe('Whether prompts may be found in the prefix cache (warm) or must not (cold).'),
    seed: z.int().min(0).optional().describe('The same seed gives the same prompts.'),
    keepOutputs: z.boolean().optional().describe('Keep the text of the answers in the records.'),
    calibrate: z.boolean().optional().describe('Measure the floor of the client first.'),
  });
}

/** The fleet file's `benchmarks`: entries by name. */
export function benchmarksSchema<
  const Profiles extends readonly [Described, ...Described[]],
  const Datasets extends readonly [Described, ...Described[]],
>(profiles: Profiles, datasets: Datasets) {
  return z.record(z.string().min(1), benchmarkSchema(profiles, datasets));
}

/** A benchmark as the fleet file states it, without the types of single profiles. */
export type BenchmarkEntry = z.infer<ReturnType<typeof benchmarkSchema<[Described], [Described]>>>;
