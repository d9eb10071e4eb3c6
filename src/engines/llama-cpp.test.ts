import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { filesNamed, fillArgs } from '../domain/fill-args.ts';
import type { Hole } from '../domain/launch-spec.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { keptEnv } from '../fleet/adopt/kept-env.ts';
import { llamaCpp } from './llama-cpp.ts';
import { llamaRouter } from './llama-cpp/router.ts';
import { cacheTypes, draftingWays } from './llama-cpp/words.ts';

const recorded = resolve(import.meta.dirname, '../../test/recorded/llama-server');
const help = readFileSync(`${recorded}/help-0.7.txt`, 'utf8');
const olderHelp = readFileSync(`${recorded}/help-older.txt`, 'utf8');

function argv(
  given: Record<string, unknown>,
  input: {
    help?: string;
    gpus?: number;
    cores?: number | null;
    key?: boolean;
    mmproj?: string;
    image?: string;
  } = {},
): string[] {
  const options = llamaCpp.options.parse({ kind: 'llama.cpp', ...given });
  const spec = llamaCpp.launch({
    deployment: 'mistral',
    options,
    model: '/m/x.gguf',
    mmproj: input.mmproj ?? null,
    gpus: input.gpus ?? 0,
    cores: input.cores ?? null,
    key: input.key ? { env: 'KEY' } : null,
    help: input.help ?? null,
    image: input.image ?? null,
  });
  return [options.binary, ...fillArgs(spec.args, fill)];
}

function fill(hole: Hole): string {
  if (hole.hole === 'file') return hole.path;
  const filled = { model: '/m/x.gguf', mmproj: '/m/mm.gguf', host: '127.0.0.1', port: '18400' };
  if (hole.hole === 'secret' || hole.hole === 'cache') return `/run/${hole.name}`;
  return filled[hole.hole];
}

function known(words: readonly string[]): ReturnType<typeof llamaCpp.recognize> {
  return llamaCpp.recognize({ pid: 1, ppid: 0, argv: words, exe: null, env: null, cwd: null });
}

test('what the server would choose by itself is always written', () => {
  expect(argv({ slots: 2, context: 4096 }).join(' ')).toBe(
    'llama-server --model /m/x.gguf --alias mistral --host 127.0.0.1 --port 18400 --ctx-size 8192 --parallel 2 ' +
      '--n-gpu-layers 0 --cache-ram 1024 --metrics',
  );
});

test('with GPUs all layers go there, and a key comes from a file', () => {
  const words = argv({}, { gpus: 1, key: true, cores: 8, mmproj: '/m/mm.gguf' }).join(' ');
  expect(words).toContain('--n-gpu-layers all');
  expect(words).toContain('--api-key-file /run/key');
  expect(words).toContain('--threads 7');
  expect(words).toContain('--mmproj /m/mm.gguf');
});

function launched(source: string, input: Partial<Parameters<typeof llamaCpp.launch>[0]>, env = {}) {
  const options = llamaCpp.options.parse({ kind: 'llama.cpp', env });
  const usual = { deployment: 'mistral', mmproj: null, gpus: 0, cores: null, key: null };
  const { args, model, secrets, secretEnv } = llamaCpp.launch({ ...usual, options, model: source, ...input });
  return { fetches: args.includes('--hf-repo'), model, secrets, secretEnv };
}

test('a gated model is fetched with its token: by itself where a variable may hold one, else by berth', () => {
  const gated = 'hf://org/m-GGUF:Q4_0';
  const modelKey = { env: 'HUB_TOKEN' };
  expect(launched(gated, { modelKey, secretVariables: true })).toEqual({
    fetches: true,
    model: null,
    secrets: { 'env-HF_TOKEN': modelKey },
    secretEnv: { HF_TOKEN: 'env-HF_TOKEN' },
  });
  expect(launched(gated, { modelKey })).toEqual({ fetches: false, model: gated, secrets: {} });
  expect(launched(gated, {})).toEqual({ fetches: true, model: null, secrets: {} });
  // What the file says of the variable itself comes first, and a revision is fetched by berth in any case.
  const own = { HF_TOKEN: { secret: { secretRef: { name: 'hub', key: 'token' } } } };
  expect(launched(gated, { modelKey, secretVariables: true }, own).secrets).toEqual({
    'env-HF_TOKEN': { secretRef: { name: 'hub', key: 'token' } },
  });
  expect(launched('hf://org/m-GGUF@abc:Q4_0', { modelKey, secretVariables: true }).secrets).toEqual({});
});

test('flags that only some builds have are written where the help page lists them', () => {
  expect(argv({}, { help })).toContain('--no-ui');
  expect(argv({})).not.toContain('--no-ui');
  expect(argv({}, { help: 'error: libcuda.so.1 is missing' })).toEqual(argv({}));
});

test('an older build is told the same in its own words', () => {
  const words = argv(
    { flashAttention: 'on', loadMode: 'mlock', gpuLayers: 'all', cacheRam: 0 },
    { help: olderHelp },
  ).join(' ');
  expect(words).toContain('--flash-attn --mlock');
  expect(words).toContain('--n-gpu-layers 999');
  expect(words).toContain('--no-webui');
  expect(words).not.toMatch(/--cache-ram|--load-mode|--no-ui/);
});

test('an image that cannot be asked, but says its build, is told in the words of that build', () => {
  const wish = {
    flashAttention: 'on',
    loadMode: 'mlock',
    loraScaled: ['/m/l.gguf:0.5'],
    draftModel: '/m/d.gguf',
    draftMax: 4,
  };
  const older = argv({ ...wish, build: 'b6000' }, { gpus: 1 }).join(' ');
  expect(older).toContain('--flash-attn --mlock');
  expect(older).toContain('--n-gpu-layers 999');
  expect(older).toContain('--lora-scaled /m/l.gguf 0.5');
  expect(older).toContain('--draft-max 4');
  expect(older).not.toMatch(/--cache-ram|--load-mode|--spec-draft-n/);
  const repository = 'ghcr.io/ggml-org/llama.cpp';
  expect(argv(wish, { gpus: 1, image: `${repository}:server-cuda-b6000@sha256:ab` }).join(' ')).toBe(older);
  const newest = argv(wish, { gpus: 1 });
  expect(newest.join(' ')).toContain('--n-gpu-layers all --cache-ram 1024');
  expect(argv({ ...wish, build: 'b99999' }, { gpus: 1 })).toEqual(newest);
  expect(argv(wish, { gpus: 1, image: 'e/own:2' })).toEqual(newest);
  expect(argv({ ...wish, build: 'b6000' }, { gpus: 1, image: 'e/own:2' }).join(' ')).toBe(older);
});

test('an unknown flag is refused before the start, with the nearest that the build has', () => {
  const error = errorOf(() => argv({ args: ['--metrisc', '--temp', '-1'] }, { help }));
  expect(error.code).toBe('ENGINE_FLAGS_UNKNOWN');
  expect(error.message).toBe('llama-server does not know --metrisc, --temp.');
  expect(error.cure).toContain('--metrisc: did you mean --metrics?');
});

function errorOf(attempt: () => unknown): BerthError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof BerthError) return error;
  }
  throw new Error('no BerthError was thrown');
}

test('flags that berth sets, and secrets, are refused in args and env', () => {
  const result = llamaCpp.options.safeParse({
    kind: 'llama.cpp',
    args: ['--port', '80', '-c', '1', '--api-key', 'x', '--temp', '0'],
    env: { HF_TOKEN: 'x', GGML_X: '1' },
  });
  const issues = result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  expect(issues).toHaveLength(4);
  expect(issues.join('\n')).toContain('args.2: -c is set by berth.');
  expect(JSON.stringify(result.error?.issues)).toContain('set engine.context');
  expect(issues.join('\n')).not.toContain('80');
});

test('variables count where the command line is silent', () => {
  const found = llamaCpp.recognize({
    pid: 1,
    ppid: 0,
    argv: ['/app/llama-server', '-c', '8192'],
    exe: '/app/llama-server',
    env: {
      LLAMA_ARG_MODEL: '/m/y.gguf',
      LLAMA_ARG_CTX_SIZE: '1',
      LLAMA_ARG_N_PARALLEL: '4',
      LLAMA_ARG_PORT: '9000',
      LLAMA_ARG_EMBEDDINGS: 'on',
      LLAMA_API_KEY: 'secret',
    },
    cwd: '/',
  });
  expect(found).toMatchObject({ model: '/m/y.gguf', port: 9000, keyed: true });
  expect(found?.options).toMatchObject({ context: 2048, slots: 4, embeddings: true });
  expect(JSON.stringify(found)).not.toContain('secret');
});

test.each([
  [['--hf-repo=org/m-GGUF:Q4_0', '--hf-file=x.gguf'], 'hf://org/m-GGUF/x.gguf', []],
  [['--hf-file', 'x.gguf', '-hf', 'org/m-GGUF'], 'hf://org/m-GGUF/x.gguf', []],
  [
    ['--model-url=https://example.org/a.gguf?x=1', '--temp', '0.5'],
    'https://example.org/a.gguf?x=1',
    ['--temp', '0.5'],
  ],
  [['--docker-repo=ai/m'], 'ai/m', []],
])('the model that %j names is no argument', (words, model, args) => {
  const found = known(['llama-box', '--port=8080', ...words]);
  expect(found).toMatchObject({ model, port: 8080, options: { args } });
});

test('a router is read with joined words, too', () => {
  const facts = { pid: 1, ppid: 0, exe: null, env: null, cwd: null };
  const argv = ['llama-server', '--models-dir=/m', '--port=9000', '--models-max=2', '--jinja'];
  expect(llamaRouter.recognize({ ...facts, argv })).toMatchObject({
    port: 9000,
    options: { modelsDir: '/m', args: ['--jinja'] },
  });
});

test('a key on the command line is known, and is not in what was recognised', () => {
  const found = known(['llama-server', '-m', 'x.gguf', '--api-key', 'sk-123', '--tools', 'all', '-fa']);
  expect(found).toMatchObject({ keyed: true, exposes: ['--tools'], options: { flashAttention: 'on' } });
  expect(JSON.stringify(found)).not.toContain('sk-123');
});

test('files that an option names are holes, since they lie elsewhere in a container', () => {
  const options = llamaCpp.options.parse({
    kind: 'llama.cpp',
    lora: ['/m/a.gguf'],
    loraScaled: ['/m/b.gguf:0.5'],
    draftModel: '/m/small.gguf',
    build: 'b6000',
  });
  const spec = llamaCpp.launch({
    deployment: 'd',
    options,
    model: '/m/x.gguf',
    mmproj: null,
    gpus: 0,
    cores: null,
    key: null,
  });
  expect(filesNamed(spec)).toEqual(['/m/a.gguf', '/m/b.gguf', '/m/small.gguf']);
  expect(spec.program.images?.cuda).toBe('ghcr.io/ggml-org/llama.cpp:server-cuda-b6000');
});

test('a model of a hub is fetched by the server itself, and is no file of the host', () => {
  const options = llamaCpp.options.parse({ kind: 'llama.cpp' });
  const spec = llamaCpp.launch({
    deployment: 'd',
    options,
    model: 'hf://org/m-GGUF:Q4_K_M',
    mmproj: null,
    gpus: 0,
    cores: null,
    key: null,
  });
  expect(fillArgs(spec.args, fill).slice(0, 2)).toEqual(['--hf-repo', 'org/m-GGUF:Q4_K_M']);
  expect(spec.model).toBeNull();
});

test.each([{ devices: ['CUDA1'] }, { mainGpu: 1 }, {}])(
  'a server that is told its GPUs by name says so: %o',
  (given) => {
    const options = llamaCpp.options.parse({ kind: 'llama.cpp', ...given });
    const input = { deployment: 'a', options, model: '/m', mmproj: null, cores: null, key: null, help: null };
    const { devices } = llamaCpp.launch({ ...input, gpus: 1 });
    expect(devices).toEqual({
      vendor: 'nvidia',
      count: 1,
      ...(Object.keys(given).length > 0 ? { named: true } : {}),
    });
  },
);

test('types of the KV cache and ways of drafting that a newer build has go through args, and come back there', () => {
  function refused(given: object): string[] {
    const parsed = llamaCpp.options.safeParse({ kind: 'llama.cpp', ...given });
    return (parsed.error?.issues ?? []).map((one) => one.path.join('.'));
  }
  expect(refused({ cacheTypeK: 'q6_0', cacheTypeV: 'iq4_nl', speculative: ['ngram-mod', 'dream'] })).toEqual([
    'cacheTypeK',
    'speculative.1',
  ]);
  expect(refused({ args: ['--cache-type-k', 'q8_0', '-ctv=f16', '--spec-type', 'ngram-mod,none'] })).toEqual([
    'args.0',
    'args.2',
    'args.3',
  ]);
  const args = ['--cache-type-k', 'q6_0', '-ctv=turbo4', '--spec-type', 'draft-simple,dream'];
  expect(refused({ args })).toEqual([]);
  const words = argv({ args });
  expect(words.slice(-args.length)).toEqual(args);
  const found = known(words)?.options;
  expect(found).toMatchObject({ args });
  expect(found).not.toHaveProperty('cacheTypeK');
  expect(known(['llama-server', '-m', '/m/x.gguf', '-ctk', 'q4_1'])?.options).toMatchObject({
    cacheTypeK: 'q4_1',
    args: [],
  });
});

test('a type that a variable has, and no option can say, becomes a flag', () => {
  const found = llamaCpp.recognize({
    pid: 1,
    ppid: 0,
    argv: ['llama-server', '-m', '/m/x.gguf'],
    exe: null,
    env: { LLAMA_ARG_CACHE_TYPE_K: 'q6_0', LLAMA_ARG_CACHE_TYPE_V: 'q8_0' },
    cwd: null,
  });
  expect(found?.options).toMatchObject({ cacheTypeV: 'q8_0', args: ['--cache-type-k', 'q6_0'] });
});

test('the words of the KV cache and of drafting are those that the help page of the server lists', () => {
  function listed(flag: RegExp): string[] {
    return flag.exec(help)?.[1]?.split(/,\s*/) ?? [];
  }
  expect([...cacheTypes]).toEqual(listed(/--cache-type-k TYPE[^]*?allowed values: (.*)/));
  expect([...draftingWays]).toEqual(listed(/--spec-type (\S+)/));
});

test('a router has variables of the user, and of those that it runs with only its options are read', () => {
  const options = llamaRouter.options.parse({
    kind: 'llama-router',
    modelsDir: '/m',
    env: {
      GGML_CUDA_ENABLE_UNIFIED_MEMORY: '1',
      HF_TOKEN: { secret: { secretRef: { name: 'hf', key: 't' } } },
    },
  });
  const place = { deployment: 'r', model: null, mmproj: null, gpus: 0, cores: null, key: null };
  const spec = llamaRouter.launch({ ...place, options });
  expect(spec.env).toEqual({ GGML_CUDA_ENABLE_UNIFIED_MEMORY: '1' });
  expect(spec.secretEnv).toEqual({ HF_TOKEN: 'env-HF_TOKEN' });
  expect(Object.keys(spec.secrets)).toEqual(['env-HF_TOKEN']);
  const written = {
    kind: 'llama-router',
    modelsDir: '/m',
    env: { HF_TOKEN: 'hf_abcdefghijklmnopqrstuvwxyz012345' },
  };
  expect(llamaRouter.options.safeParse(written).error?.issues[0]?.path).toEqual(['env', 'HF_TOKEN']);
  const env = { GGML_CUDA_ENABLE_UNIFIED_MEMORY: '1', LLAMA_ARG_MODELS_MAX: '2' };
  expect(keptEnv(env, { engine: 'llama-router', unit: false, gpus: false }).env).toEqual({
    GGML_CUDA_ENABLE_UNIFIED_MEMORY: '1',
  });
});
