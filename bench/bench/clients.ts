import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const cache = process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live');

/** A load: streams that are kept busy, or requests that start at a steady rate; until it is ended or its time is over. */
export interface Load {
  readonly streams?: number;
  readonly rate?: number;
  readonly seconds: number;
}

/** What a tool says of one request, in ms; `number` is that of the server's log. */
export interface Told {
  readonly number: number;
  readonly ttftMs: number;
  /** (last − first) / (tokens − 1). */
  readonly gapMs: number;
}

export interface LoadClient {
  readonly name: string;
  readonly argv: (url: string, load: Load, folder: string) => string[];
  readonly env: (folder: string) => NodeJS.ProcessEnv;
  /** What it wrote about its requests; null where it writes nothing. */
  readonly read: ((folder: string) => Told[]) | null;
}

const Line = z.object({
  outcome: z.string(),
  phase: z.string(),
  responseId: z.string().nullable(),
  sent: z.number().nullable(),
  firstToken: z.number().nullable(),
  last: z.number().nullable(),
  events: z.number(),
});

function plainEnv(): NodeJS.ProcessEnv {
  return process.env;
}

export const berth: LoadClient = {
  name: 'berth',
  argv: (url, load, folder) => {
    const prompts = join(folder, 'prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"case=load","max_tokens":16}\n');
    const shape =
      load.rate === undefined
        ? ['--streams', String(load.streams)]
        : ['--profile', 'constant', '--rate', String(load.rate)];
    const what = ['--model', 'truth', '--data', prompts, '--max-seconds', String(load.seconds)];
    return [process.execPath, join(root, 'bin/berth.js'), 'bench', url, ...shape, ...what, '--no-calibrate'];
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
    return readFileSync(join(runs, run, 'records.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Line.parse(JSON.parse(line)))
      .flatMap(({ outcome, phase, responseId, sent, firstToken, last, events }) =>
        outcome !== 'ok' ||
        phase !== 'measured' ||
        sent === null ||
        firstToken === null ||
        last === null ||
        events < 2
          ? []
          : [
              {
                number: numberOf(responseId),
                ttftMs: (firstToken - sent) / 1000,
                gapMs: (last - firstToken) / (events - 1) / 1000,
              },
            ],
      );
  },
};

export const nodeHttp: LoadClient = {
  name: 'node-http',
  argv: (url, load) => [
    process.execPath,
    join(import.meta.dirname, 'node-client.mjs'),
    url,
    String(load.streams ?? 1),
  ],
  env: plainEnv,
  read: null,
};

/** Null and the reason, where Python or its packages cannot be had. */
export function prepareAiohttp(): LoadClient | { readonly absent: string } {
  const venv = join(cache, 'aiohttp');
  const python = join(venv, 'bin/python');
  if (!existsSync(join(venv, 'complete'))) {
    console.log(`installing aiohttp into ${venv}`);
    spawnSync('python3', ['-m', 'venv', venv], { stdio: 'ignore' });
    const { status } = spawnSync(python, ['-m', 'pip', 'install', '--quiet', 'aiohttp', 'uvloop'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) return { absent: 'pip did not install aiohttp' };
    writeFileSync(join(venv, 'complete'), '');
  }
  return {
    name: 'aiohttp',
    argv: (url, load) => [
      python,
      join(import.meta.dirname, 'aiohttp-client.py'),
      url,
      String(load.streams ?? 1),
    ],
    env: plainEnv,
    read: null,
  };
}

const GuideLlm = z.object({
  benchmarks: z.array(
    z.object({
      requests: z.object({
        successful: z.array(
          z.object({
            response_id: z.string().nullish(),
            time_to_first_token_ms: z.number().nullish(),
            inter_token_latency_ms: z.number().nullish(),
          }),
        ),
      }),
    }),
  ),
});

export function prepareGuideLlm(): LoadClient | { readonly absent: string } {
  const script = join(root, 'tools/live/guidellm.sh');
  const { status, stdout } = spawnSync('sh', [script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) return { absent: 'tools/live/guidellm.sh could not install it' };
  const program = stdout.trim();
  const tokenizer = join(program, '../../tokenizer');
  return {
    name: 'guidellm',
    argv: (url, load, folder) => [
      program,
      'run',
      '--backend',
      `kind=openai_http,target=${url},model=truth,request_format=/v1/chat/completions`,
      '--profile',
      load.rate === undefined
        ? `kind=concurrent,streams=[${load.streams}]`
        : `kind=constant,rate=[${load.rate}]`,
      '--constraint',
      `kind=max_duration,seconds=${load.seconds}`,
      '--data',
      'kind=synthetic_text,prompt_tokens=16,output_tokens=16',
      '--data-loader',
      `kind=pytorch,samples=${samplesOf(load)}`,
      '--tokenizer',
      `kind=huggingface_auto,model=${tokenizer}`,
      '--output',
      `kind=json,path=${join(folder, 'guidellm.json')}`,
      '--disable-console',
    ],
    env: () => ({ ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' }),
    read: (folder) => {
      const { benchmarks } = GuideLlm.parse(JSON.parse(readFileSync(join(folder, 'guidellm.json'), 'utf8')));
      return benchmarks.flatMap(({ requests }) =>
        requests.successful.flatMap((each) =>
          each.time_to_first_token_ms && each.inter_token_latency_ms
            ? [
                {
                  number: numberOf(each.response_id ?? null),
                  ttftMs: each.time_to_first_token_ms,
                  gapMs: each.inter_token_latency_ms,
                },
              ]
            : [],
        ),
      );
    },
  };
}

/** It ends when its prompts do. */
function samplesOf({ rate, streams = 1, seconds }: Load): number {
  return Math.ceil(rate === undefined ? streams * seconds : rate * (seconds + 2));
}

function numberOf(id: string | null): number {
  return Number(id?.replace('truth-', '') ?? Number.NaN);
}
