import { z } from 'zod';
import { Against } from './against.ts';
import { CronText } from './cron.ts';
import { CacheState } from './run/cache.ts';
import { TokenPrices } from './run/token-prices.ts';
import { Threshold } from './threshold.ts';

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

type Kind = Described & { readonly kind: string };

/** Endpoints by name alone, or with options of their own. */
function endpointSchema<const Endpoints extends readonly [Kind, ...Kind[]]>(endpoints: Endpoints) {
  const kinds = endpoints.map(({ kind }) => kind) as [string, ...string[]];
  return z.union([z.enum(kinds), unionOf(endpoints)]);
}

/** What a benchmark is held against, and when it gives up. */
const objectives = {
  slo: z
    .strictObject({
      ttft: z.number().positive().optional().describe('Most ms to the first token.'),
      tpot: z.number().positive().optional().describe('Most ms for each output token after the first.'),
      e2e: z.number().positive().optional().describe('Most ms for the whole answer.'),
    })
    .optional()
    .describe('What one request must keep; the share of those that do is the goodput.'),
  thresholds: z
    .array(Threshold)
    .optional()
    .describe('Such as "ttft.p95 < 500" or "goodput >= 0.99"; exit code 3 when a stage misses one.'),
  against: Against.optional().describe('A run that each run is held against by "berth bench".'),
  maxErrors: z.int().min(0).optional().describe('The run ends when more requests than this have failed.'),
  maxErrorRate: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('The run ends when a larger share than this of a stage has failed (of at least 20).'),
  stopOverSaturated: z
    .number()
    .positive()
    .optional()
    .describe(
      'Of an open loop: the run ends when requests in flight and TTFT have risen for so many seconds (30 is usual).',
    ),
  budget: z
    .strictObject({
      tokens: z.int().positive().optional().describe('Prompt and output tokens of the whole run.'),
      money: z
        .number()
        .positive()
        .optional()
        .describe('Price of the time that the run takes and of its tokens, by the prices below.'),
      pricePerHour: z.number().positive().optional().describe('What an hour of the server costs.'),
      pricePerMillion: TokenPrices.optional().describe(
        'What a million tokens cost, where they are paid for.',
      ),
    })
    .optional()
    .describe('The run ends when this is spent.'),
};

/** What an hour of what is measured costs, in US dollars: a figure, or where it is to be found. */
const Price = z
  .strictObject({
    hour: z.number().positive().optional().describe('The price itself.'),
    from: z
      .enum(['host', 'catalog'])
      .optional()
      .describe(
        '"host": as hosts.NAME.price says; "catalog": the list price of the instance type that target.nodeSelector names.',
      ),
  })
  .refine(({ hour, from }) => (hour === undefined) !== (from === undefined), {
    error: 'It says nothing, or two things.',
    params: { cure: 'Write one of hour and from.' },
  });

const KubeName = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

/** Where and when it is run, and who is told. */
const doings = {
  price: Price.optional().describe('What an hour of a replica costs: reports then have a price of tokens.'),
  publish: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Names under `publishers`: they are told of each run.'),
  runsOn: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The host that its client runs on: in a cluster a Job that "berth render" writes (default: where "berth bench" is run).',
    ),
  image: z
    .string()
    .min(1)
    .optional()
    .describe('In a cluster: image of berth that the Job runs (made by the Containerfile).'),
  results: z
    .strictObject({ pvc: KubeName.describe('A claim of the cluster that is there already.') })
    .optional()
    .describe('In a cluster: where runs are kept; without it they are gone with the pod.'),
  schedule: CronText.optional().describe(
    'When it is run by itself, as cron writes it: a CronJob in a cluster, a timer of systemd on this machine.',
  ),
};

/** How the server is asked, beside the endpoint. */
const asking = {
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A tokenizer.json, or the folder of one, that counts prompts where the server has no /tokenize.',
    ),
  api: z.enum(['chat', 'completions']).optional().describe('The older name of endpoint, which wins.'),
};

/**
 * One entry of the fleet file's `benchmarks`, made from the registries of profiles and datasets.
 * Lengths count per stage; without `seconds` and `requests` a stage runs for 30 s.
 */
export function benchmarkSchema<
  const Profiles extends readonly [Described, ...Described[]],
  const Datasets extends readonly [Described, ...Described[]],
  const Endpoints extends readonly [Kind, ...Kind[]],
>(profiles: Profiles, datasets: Datasets, endpoints: Endpoints) {
  return z.strictObject({
    of: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe('Deployment, or deployments, that are measured one after the other.'),
    profile: unionOf(profiles).describe('The shape of the load.'),
    data: unionOf(datasets).optional().describe('Where the prompts come from.'),
    seconds: z.number().positive().optional().describe('Admission stops after so many seconds per stage.'),
    requests: z.int().positive().optional().describe('Admission stops after so many requests per stage.'),
    ...objectives,
    ...doings,
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
    endpoint: endpointSchema(endpoints)
      .optional()
      .describe('Which API is asked (default chat), by its name or with options of its own.'),
    ...asking,
    stream: z.boolean().optional().describe('Stream the answers; without it there is no TTFT.'),
    maxTokens: z.int().positive().optional().describe('Output tokens that each request asks for.'),
    temperature: z.number().min(0).max(2).optional().describe('Temperature that each request asks for.'),
    ignoreEos: z.boolean().optional().describe('Ask for answers of full length, where the engine can.'),
    cache: CacheState.optional().describe(
      'Whether prompts may be found in the prefix cache (warm) or must not (cold); {shared: 0.5}: that share of each is the same text.',
    ),
    seed: z.int().min(0).optional().describe('The same seed gives the same prompts.'),
    keepOutputs: z.boolean().optional().describe('Keep the text of the answers in the records.'),
    records: z
      .enum(['lines', 'columns'])
      .optional()
      .describe(
        'How the records are written: JSON lines, or columns for very many (default from 100,000 requests a stage on).',
      ),
    calibrate: z.boolean().optional().describe('Measure the floor of the client first.'),
  });
}

/** The fleet file's `benchmarks`: entries by name. */
export function benchmarksSchema<
  const Profiles extends readonly [Described, ...Described[]],
  const Datasets extends readonly [Described, ...Described[]],
  const Endpoints extends readonly [Kind, ...Kind[]],
>(profiles: Profiles, datasets: Datasets, endpoints: Endpoints) {
  return z.record(z.string().min(1), benchmarkSchema(profiles, datasets, endpoints));
}

/** A benchmark as the fleet file states it, without the types of single profiles. */
export type BenchmarkEntry = z.infer<ReturnType<typeof benchmarkSchema<[Described], [Described], [Kind]>>>;
