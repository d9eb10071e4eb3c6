import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { askedTokens, numberOf, promptsOf } from './contract.ts';
import type { Load, Tool } from './contract.ts';

const number = z.number().nullish();
const GuideLlm = z.object({
  benchmarks: z.array(
    z.object({
      requests: z.object({
        successful: z.array(
          z.object({
            response_id: z.string().nullish(),
            time_to_first_token_ms: number,
            inter_token_latency_ms: number,
            request_latency: number,
            request_scheduled_latency: number,
            output_tokens: number,
          }),
        ),
      }),
    }),
  ),
});

/** Tokens as the server counts them; gaps are not in its file. */
export function guideLlm(program: string): Tool {
  return {
    name: 'guidellm',
    argv: (url, load, folder) => [
      program,
      'run',
      '--backend',
      `kind=openai_http,target=${url},model=truth,request_format=/v1/chat/completions${backendOf(load)}`,
      '--profile',
      profileOf(load),
      '--constraint',
      load.requests === undefined
        ? `kind=max_duration,seconds=${load.seconds}`
        : `kind=max_requests,count=${load.requests}`,
      '--data',
      `kind=synthetic_text,prompt_tokens=16,output_tokens=${askedTokens}`,
      '--data-loader',
      `kind=pytorch,samples=${promptsOf(load)}`,
      '--tokenizer',
      `kind=huggingface_auto,model=${join(program, '../../tokenizer')}`,
      '--output',
      `kind=json,path=${join(folder, 'guidellm.json')}`,
      '--disable-console',
    ],
    env: () => ({ ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' }),
    read: (folder) => {
      const { benchmarks } = GuideLlm.parse(JSON.parse(readFileSync(join(folder, 'guidellm.json'), 'utf8')));
      return benchmarks.flatMap(({ requests }) =>
        requests.successful.map((each) => ({
          number: numberOf(each.response_id),
          ttftMs: each.time_to_first_token_ms ?? null,
          tpotMs: each.inter_token_latency_ms ?? null,
          longestGapMs: null,
          e2eMs: each.request_latency == null ? null : 1000 * each.request_latency,
          fromScheduleMs:
            each.request_scheduled_latency == null ? null : 1000 * each.request_scheduled_latency,
          tokens: each.output_tokens ?? null,
        })),
      );
    },
  };
}

function backendOf({ timeoutSeconds, streamed }: Load): string {
  const timeout = timeoutSeconds === undefined ? '' : `,timeout=${timeoutSeconds}`;
  return streamed === false ? `${timeout},stream=false` : timeout;
}

function profileOf({ rate, streams, arrivals }: Load): string {
  return rate === undefined
    ? `kind=concurrent,streams=[${streams}]`
    : `kind=${arrivals ?? 'constant'},rate=[${rate}]`;
}
