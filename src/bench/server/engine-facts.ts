import { z } from 'zod';
import type { EngineFacts } from '../../domain/run/engine-facts.ts';
import { readPrometheusRows } from '../../stats/prometheus-read.ts';

const Props = z.object({
  build_info: z.string(),
  model_path: z.string().nullish(),
  total_slots: z.int().nullish(),
  model_ftype: z.string().nullish(),
  default_generation_settings: z
    .object({ n_ctx: z.int().nullish(), params: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
});
const Version = z.object({ version: z.string() });
const Models = z.object({
  data: z.array(z.object({ max_model_len: z.int().nullish(), root: z.string().nullish() })),
});

/** Bodies of the engine's answers, as they came; null where it gave none. */
export interface EngineAnswers {
  readonly props: string | null;
  readonly version: string | null;
  readonly models: string | null;
  readonly metrics: string | null;
}

export type ToldFacts = Pick<EngineFacts, 'kind' | 'version' | 'context' | 'slots' | 'settings'> & {
  readonly modelPath: string | null;
};

/** What an engine tells of itself; null when it is none of those that do. Pure. */
export function toldFacts(answers: EngineAnswers): ToldFacts | null {
  return llamaCpp(answers) ?? vllm(answers);
}

function llamaCpp({ props }: EngineAnswers): ToldFacts | null {
  const found = Props.safeParse(parseJson(props)).data;
  if (!found) return null;
  const settings = { ...found.default_generation_settings?.params, model_ftype: found.model_ftype };
  return {
    kind: 'llama.cpp',
    version: found.build_info,
    context: found.default_generation_settings?.n_ctx ?? null,
    slots: found.total_slots ?? null,
    settings: texts(settings),
    modelPath: found.model_path ?? null,
  };
}

function vllm({ version, models, metrics }: EngineAnswers): ToldFacts | null {
  const told = Version.safeParse(parseJson(version)).data;
  const rows = readPrometheusRows(metrics ?? '');
  const isVllm = [...rows.keys()].some((name) => name.startsWith('vllm:'));
  if (!isVllm) return null;
  const [model] = Models.safeParse(parseJson(models)).data?.data ?? [];
  return {
    kind: 'vllm',
    version: told?.version ?? null,
    context: model?.max_model_len ?? null,
    slots: null,
    settings: texts(rows.get('vllm:cache_config_info')?.[0]?.labels ?? {}),
    modelPath: model?.root ?? null,
  };
}

/** Plain values as text; lists and objects as JSON; what is unset is left out. */
function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
