import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RequestRecord } from '../../src/domain/run/record.ts';

const root = join(import.meta.dirname, '../..');
const cache = process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live');
/** Some answers never come: so long is waited for one. */
export const timeoutSeconds = 3;
export const streams = 4;

/** What a tool says of a request that it took for good, in ms; null: it does not say. */
export interface ToldRequest {
  readonly number: number;
  readonly ttftMs: number | null;
  /** (last − first) / (tokens − 1). */
  readonly tpotMs: number | null;
  readonly longestGapMs: number | null;
  readonly e2eMs: number | null;
  readonly tokens: number | null;
}

export interface Tool {
  readonly name: string;
  readonly argv: (url: string, requests: number, folder: string) => string[];
  readonly env: (folder: string) => NodeJS.ProcessEnv;
  readonly read: (folder: string) => ToldRequest[];
}

function numberOf(id: string | null | undefined): number {
  return Number(id?.replace('truth-', '') ?? Number.NaN);
}

function ms(micros: number | null, from: number | null): number | null {
  return micros === null || from === null ? null : (micros - from) / 1000;
}

export const berth: Tool = {
  name: 'berth',
  argv: (url, requests, folder) => {
    const prompts = join(folder, 'prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"Tell me","max_tokens":20}\n');
    const load = ['--streams', String(streams), '--max-requests', String(requests)];
    const what = ['--model', 'truth', '--data', prompts, '--timeout', String(timeoutSeconds)];
    return [process.execPath, join(root, 'bin/berth.js'), 'bench', url, ...load, ...what, '--no-calibrate'];
  },
  env: (folder) => ({
    ...process.env,
    XDG_DATA_HOME: folder,
    XDG_STATE_HOME: folder,
    XDG_CONFIG_HOME: folder,
  }),
  read: (folder) => {
    const runs = join(folder, 'berth/runs');
    const [run = ''] = readdirSync(runs);
    return linesOf(join(runs, run, 'records.jsonl'))
      .map((line) => RequestRecord.parse(line))
      .filter(({ outcome }) => outcome === 'ok')
      .map(({ responseId, sent, firstToken, last, gaps, events, output: { tokens } }) => ({
        number: numberOf(responseId),
        ttftMs: ms(firstToken, sent),
        tpotMs:
          events > 1 && tokens !== null && tokens > 1 ? (ms(last, firstToken) ?? 0) / (tokens - 1) : null,
        longestGapMs: gaps.length === 0 ? null : Math.max(...gaps) / 1000,
        e2eMs: ms(last, sent),
        tokens,
      }));
  },
};

const GuideLlm = z.object({
  benchmarks: z.array(
    z.object({
      requests: z.object({
        successful: z.array(
          z.object({
            response_id: z.string().nullish(),
            time_to_first_token_ms: z.number().nullish(),
            inter_token_latency_ms: z.number().nullish(),
            request_latency: z.number().nullish(),
            output_tokens: z.number().nullish(),
          }),
        ),
      }),
    }),
  ),
});

/** Tokens as the server counts them; gaps are not in its file. */
function guideLlm(program: string): Tool {
  return {
    name: 'guidellm',
    argv: (url, requests, folder) => [
      program,
      'run',
      '--backend',
      `kind=openai_http,target=${url},model=truth,request_format=/v1/chat/completions,timeout=${timeoutSeconds}`,
      '--profile',
      `kind=concurrent,streams=[${streams}]`,
      '--constraint',
      `kind=max_requests,count=${requests}`,
      '--data',
      'kind=synthetic_text,prompt_tokens=16,output_tokens=20',
      '--data-loader',
      `kind=pytorch,samples=${requests}`,
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
          tokens: each.output_tokens ?? null,
        })),
      );
    },
  };
}

const figure = z.object({ value: z.number() }).optional();
const AiperfRecord = z.object({
  metadata: z.object({ x_request_id: z.string() }),
  metrics: z.object({
    time_to_first_token: figure,
    inter_token_latency: figure,
    request_latency: figure,
    output_sequence_length: figure,
    inter_chunk_latency: z.object({ value: z.array(z.number()) }).optional(),
  }),
  error: z.unknown().optional(),
});
const AiperfRaw = z.object({ metadata: z.object({ x_request_id: z.string() }) });

/** Tokens as the server counts them, as for the others; which answer it was stands in its raw export. */
function aiperf(program: string, tokenizer: string): Tool {
  return {
    name: 'aiperf',
    argv: (url, requests, folder) => {
      const server = ['--model', 'truth', '--url', url, '--endpoint-type', 'chat', '--streaming'];
      const load = ['--concurrency', String(streams), '--request-count', String(requests)];
      const lengths = ['--tokenizer', tokenizer, '--isl', '16', '--osl', '20', '--use-server-token-count'];
      const out = ['--export-level', 'raw', '--ui', 'none', '--artifact-dir', join(folder, 'out')];
      const patience = ['--request-timeout-seconds', String(timeoutSeconds)];
      return [program, 'profile', ...server, ...load, ...lengths, ...out, ...patience];
    },
    // Its tokenizer is a folder; a hub that is said to be offline keeps it from that folder too, one that is dead does not.
    env: (folder) => ({ ...process.env, HOME: folder, HF_ENDPOINT: 'http://127.0.0.1:9' }),
    read: (folder) => {
      const numbers = new Map<string, number>();
      for (const line of textLines(join(folder, 'out/profile_export_raw.jsonl'))) {
        const id = AiperfRaw.parse(JSON.parse(line)).metadata.x_request_id;
        numbers.set(id, Number(/truth-(\d+)/.exec(line)?.[1] ?? Number.NaN));
      }
      return linesOf(join(folder, 'out/profile_export.jsonl'))
        .map((line) => AiperfRecord.parse(line))
        .filter(({ error }) => error === null || error === undefined)
        .map(({ metadata, metrics }) => {
          const gaps = metrics.inter_chunk_latency?.value ?? [];
          return {
            number: numbers.get(metadata.x_request_id) ?? Number.NaN,
            ttftMs: metrics.time_to_first_token?.value ?? null,
            tpotMs: metrics.inter_token_latency?.value ?? null,
            longestGapMs: gaps.length === 0 ? null : Math.max(...gaps),
            e2eMs: metrics.request_latency?.value ?? null,
            tokens: metrics.output_sequence_length?.value ?? null,
          };
        });
    },
  };
}

function textLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function linesOf(path: string): unknown[] {
  return textLines(path).map((line) => JSON.parse(line) as unknown);
}

type Maybe = Tool | { readonly name: string; readonly absent: string };

function installed(script: string): string | null {
  const { status, stdout } = spawnSync('sh', [join(root, 'tools/live', script)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return status === 0 ? stdout.trim() : null;
}

/** The other tools, out of the cache or from PyPI into it. */
export function otherTools(): Maybe[] {
  const guide = installed('guidellm.sh');
  const air = installed('aiperf.sh');
  const tokenizer = join(cache, 'guidellm/tokenizer');
  return [
    guide ? guideLlm(guide) : { name: 'guidellm', absent: 'tools/live/guidellm.sh could not install it' },
    air && existsSync(tokenizer)
      ? aiperf(air, tokenizer)
      : { name: 'aiperf', absent: 'tools/live/aiperf.sh could not install it, or there is no tokenizer' },
  ];
}
