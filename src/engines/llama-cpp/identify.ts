import { z } from 'zod';
import { answerAt } from '../../domain/server-answers.ts';
import type { Answers, Identity } from '../../domain/server-answers.ts';

const Props = z.object({
  build_info: z.string(),
  model_path: z.string().optional(),
  total_slots: z.int().nullish().catch(null),
  default_generation_settings: z.object({ n_ctx: z.int().nullish() }).nullish().catch(null),
});

/** Only llama-server has /props with its build. With a key it does not answer without one. */
export function identify(answers: Answers): Identity | null {
  const props = answerAt(answers, '/props', Props);
  return (
    props && {
      version: props.build_info,
      modelPath: props.model_path || null,
      served: null,
      slots: props.total_slots ?? null,
      context: props.default_generation_settings?.n_ctx ?? null,
    }
  );
}
