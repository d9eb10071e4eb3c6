import { expect, test } from 'vitest';
import { BerthError } from '../domain/errors/berth-error.ts';
import { fillArgs, secretFileText } from '../domain/fill-args.ts';
import type { Hole, LaunchSpec } from '../domain/launch-spec.ts';
import { vllm } from './vllm.ts';

/** As `vllm serve --help=all` prints it. */
const help = `usage: vllm serve [model_tag] [options]

options:
  --host HOST           Host name. (default: None)
  --port PORT           Port number. (default: 8000)
  --config CONFIG       Read CLI options from a config file.
  --disable-access-log-for-endpoints DISABLE_ACCESS_LOG_FOR_ENDPOINTS
                        Paths that are not logged.
  --served-model-name SERVED_MODEL_NAME [SERVED_MODEL_NAME ...]
                        The model name(s) used in the API.
  --max-model-len MAX_MODEL_LEN
                        Model context length.
  --tensor-parallel-size TENSOR_PARALLEL_SIZE, -tp TENSOR_PARALLEL_SIZE
                        Number of tensor parallel groups.
  --gpu-memory-utilization GPU_MEMORY_UTILIZATION
  --enable-prefix-caching, --no-enable-prefix-caching
  --enforce-eager, --no-enforce-eager
  --quantization QUANTIZATION, -q QUANTIZATION
  --compilation-config COMPILATION_CONFIG, -O COMPILATION_CONFIG
  --hf-overrides HF_OVERRIDES
`;

function launched(
  given: Record<string, unknown>,
  more: {
    gpus?: number;
    help?: string;
    model?: string;
    key?: boolean;
    modelKey?: boolean;
    image?: string;
  } = {},
): { spec: LaunchSpec; line: string } {
  const spec = vllm.launch({
    deployment: 'mixtral',
    options: vllm.options.parse({ kind: 'vllm', ...given }),
    model: more.model ?? 'hf://TheBloke/mixtral-8x7b-v0.1-AWQ',
    mmproj: null,
    gpus: more.gpus ?? 0,
    cores: null,
    key: more.key ? { env: 'KEY' } : null,
    modelKey: more.modelKey ? { env: 'HF_TOKEN' } : null,
    help: more.help ?? null,
    image: more.image ?? null,
  });
  return { spec, line: fillArgs(spec.args, fill).join(' ') };
}

function fill(hole: Hole): string {
  if (hole.hole === 'file') return hole.path;
  if (hole.hole === 'secret' || hole.hole === 'cache') return `/run/${hole.name}`;
  return { model: '/m/x', mmproj: '', host: '127.0.0.1', port: '8000' }[hole.hole];
}

test('what the seed deployment asks for is written, and its GPUs are shared', () => {
  const { spec, line } = launched(
    { quantization: 'awq', enforceEager: true, gpuMemoryUtilization: 0.95 },
    { gpus: 4 },
  );
  expect(line).toBe(
    'serve TheBloke/mixtral-8x7b-v0.1-AWQ --host 127.0.0.1 --port 8000 --served-model-name mixtral ' +
      '--tensor-parallel-size 4 --gpu-memory-utilization 0.95 --quantization awq --enforce-eager',
  );
  expect(spec).toMatchObject({
    model: null,
    servedModel: 'mixtral',
    devices: { vendor: 'nvidia', count: 4 },
    sharedMemory: 8 * 1024 ** 3,
    caches: { hub: { env: 'HF_HOME' }, compiled: { env: 'VLLM_CACHE_ROOT' }, home: { env: 'HOME' } },
  });
});

test('its key reaches it in a configuration file, and the key of the hub as a file', () => {
  const { spec, line } = launched({}, { key: true, modelKey: true });
  expect(line).toContain('--config /run/key');
  expect(spec.env).toEqual({ HF_TOKEN_PATH: { hole: 'secret', name: 'hub' } });
  expect(secretFileText(spec, 'key', 'a"b')).toBe('api-key: "a\\"b"\n');
  expect(secretFileText(spec, 'hub', 'hf_1')).toBe('hf_1');
  expect(JSON.stringify(spec)).not.toContain('hf_1');
});

test('flags that came with a version are written from there on, and refused before where the file asks for them', () => {
  expect(launched({ version: '0.15.1' }).line).not.toContain('access-log');
  expect(launched({ version: '0.16.0' }).line).toContain(
    '--disable-access-log-for-endpoints /health,/metrics',
  );
  expect(launched({ version: '1.0.0', shutdownTimeout: '90s' }).line).toContain('--shutdown-timeout 90');
  const error = errorOf(() => launched({ version: '0.17.2', shutdownTimeout: '90s' }));
  expect(error.message).toBe('vllm 0.17.2 does not know --shutdown-timeout, which came with 0.18.0.');
  expect(launched({ version: '0.18.0' }).spec.program.images?.cuda).toBe('vllm/vllm-openai:v0.18.0');
});

test('the tag of its own image says which version it is, and another image nothing', () => {
  function written(image: string, given = {}): boolean {
    return launched(given, { image }).line.includes('access-log');
  }
  expect(written('docker.io/vllm/vllm-openai:v0.18.0@sha256:ab')).toBe(true);
  expect(written('vllm/vllm-openai:v0.11.0')).toBe(false);
  expect(written('registry.lab/own:v0.18.0')).toBe(false);
  expect(written('registry.lab/own:v0.18.0', { version: '0.18.0' })).toBe(true);
  const error = errorOf(() => launched({ shutdownTimeout: '90s' }, { image: 'vllm/vllm-openai:v0.17.2' }));
  expect(error.code).toBe('ENGINE_FLAG_TOO_NEW');
});

test('flags are checked against the help page of the very program', () => {
  const fine = { prefixCaching: false, args: ['-O3', '--hf-overrides.factor', '2', '--max_logprobs=-1'] };
  const error = errorOf(() => launched(fine, { help }));
  expect(error.message).toBe('vllm does not know --max_logprobs=-1.');
  const renamed = errorOf(() =>
    launched({ args: ['--speculative-model', 'x'] }, { help: `${help}  --speculative-config C\n` }),
  );
  expect(renamed.cure).toContain('--speculative-model: did you mean --speculative-config?');
  const { line } = launched({ ...fine, args: fine.args.slice(0, 3) }, { help });
  expect(line).toContain('--disable-access-log-for-endpoints /health,/metrics');
  expect(line).toContain('--no-enable-prefix-caching -O3 --hf-overrides.factor 2');
});

test('flags that have a key of their own are refused in args in all their spellings, and so are secrets', () => {
  const result = vllm.options.safeParse({
    kind: 'vllm',
    args: ['--max_model_len=4096', '-tp', '2', '--api-key', 'x', '--no-enforce-eager', '--max-logprobs', '5'],
    env: { HF_TOKEN: 'x' },
  });
  const issues = result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  expect(issues).toEqual([
    'env.HF_TOKEN: HF_TOKEN would put a secret into the fleet file.',
    'args.0: --max-model-len is set by berth.',
    'args.1: -tp is set by berth.',
    'args.3: --api-key would show a secret in the process list.',
    'args.5: --no-enforce-eager is set by berth.',
  ]);
});

function errorOf(attempt: () => unknown): BerthError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof BerthError) return error;
  }
  throw new Error('no BerthError was thrown');
}

test.each([['--api-key', 'sk-1'], ['--api_key=sk-1'], ['--api-key=sk-1']])(
  'a key that %s gives is known, and is not in what was recognised',
  (...words) => {
    const facts = { pid: 1, ppid: 0, exe: null, env: null, cwd: null };
    const found = vllm.recognize({ ...facts, argv: ['vllm', 'serve', 'org/m', ...words] });
    expect(found).toMatchObject({ model: 'org/m', keyed: true });
    expect(JSON.stringify(found)).not.toContain('sk-1');
  },
);

test.each([
  ['/opt/venv/bin/python3 -m vllm.entrypoints.openai.api_server --model org/m', '/opt/venv/bin/vllm'],
  ['python3 -m vllm.entrypoints.openai.api_server --model org/m', 'vllm'],
  ['/opt/venv/bin/python3.12 -m vllm serve org/m', '/opt/venv/bin/vllm'],
  ['venv/bin/python -m vllm.entrypoints.cli.main serve org/m', 'venv/bin/vllm'],
  ['/opt/venv/bin/python3 /opt/other/bin/vllm serve org/m', '/opt/other/bin/vllm'],
  ['/usr/bin/python3 -m vllm_tgis_adapter --model org/m', 'vllm_tgis_adapter'],
])('"%s" is started again by %s', (line, binary) => {
  const found = vllm.recognize({ pid: 1, ppid: 0, exe: null, env: null, cwd: null, argv: line.split(' ') });
  expect(found?.options).toMatchObject({ binary });
});
