import { z } from 'zod';

/** Parsed JSON bodies of the GETs that a server answered with 200, by path. Others are not in it. */
export type Answers = ReadonlyMap<string, unknown>;

/** What a server's answers tell of it. */
export interface Identity {
  readonly version: string | null;
  /** Path of the model's file, where the server tells. */
  readonly modelPath: string | null;
  /** Names of the models it has ready now; null where only /v1/models tells. */
  readonly served: readonly string[] | null;
  /** Requests that it answers at once, and tokens that each may take. */
  readonly slots?: number | null;
  readonly context?: number | null;
}

export const ModelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: z.string().optional(),
      max_model_len: z.int().nullish().catch(null),
    }),
  ),
});
export const VersionAnswer = z.object({ version: z.string() });

/** The answer at a path, if it has this shape. */
export function answerAt<T>(answers: Answers, path: string, schema: z.ZodType<T>): T | null {
  return schema.safeParse(answers.get(path)).data ?? null;
}

/** Who a server says owns its models: most engines put their own name there. */
export function modelOwner(answers: Answers): string | null {
  return answerAt(answers, '/v1/models', ModelList)?.data[0]?.owned_by ?? null;
}
