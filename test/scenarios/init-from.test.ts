import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

interface Made {
  models?: Record<string, unknown>;
  deployments: Record<string, Record<string, unknown>>;
  gateway?: Record<string, unknown>;
}

interface Left {
  line: number;
  path: string;
  reason: string;
}

/** The file that came of it, and what was left of the other; `berth init` has checked it as `berth validate` does. */
async function takeOver(text: string): Promise<{ made: Made; left: Left[]; text: string }> {
  place.write(text, 'theirs.yaml');
  const ran = await place.berth('init', '--from', 'theirs.yaml', '--json');
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const written = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  return { made: parse(written) as Made, left: (ran.json() as { left: Left[] }).left, text: written };
}

const llamaSwap = `healthCheckTimeout: 300
startPort: 10001
globalTTL: 600
macros:
  models: /srv/models
  server: llama-server --port \${PORT} --host 127.0.0.1
apiKeys:
  - sk-very-secret-1
  - "\${env.TEAM_KEY}"
models:
  "Qwen3-8B":
    # the everyday one
    cmd: |
      # runs on the processor
      \${server}
      -m \${models}/qwen3-8b.Q4_K_M.gguf
      -c 16384 --parallel 2 -ngl 99 --jinja
    ttl: 120
    aliases:
      - gpt-4o-mini
      - {id: default}
    env: ["CUDA_VISIBLE_DEVICES=0", "HF_TOKEN=hf_abc"]
    filters: {stripParams: temperature}
  coder:
    cmd: \${server} --api-key sk-hidden --model coder.gguf --ctx-size 8192 --mmproj /srv/models/eyes.gguf
    useModelName: coder-7b
    unlisted: true
  whisper:
    cmd: /opt/whisper/server --port 9001 --model base.en
    proxy: http://127.0.0.1:9001
    checkEndpoint: /ready
    ttl: 0
    concurrencyLimit: 1
    cmdStop: pkill whisper
matrix:
  vars: {q: Qwen3-8B, c: coder, w: whisper}
  evict_costs: {q: 5}
  sets:
    talk: "(q | c) & w"
    all: "+talk"
peers:
  box:
    proxy: http://192.168.1.20:8080
    apiKey: sk-peer-secret
    models: ["org/large-70b"]
hooks: {on_startup: {preload: [coder]}}
`;

test('a file of llama-swap becomes a fleet whose models are on demand', async () => {
  const { made, left, text } = await takeOver(llamaSwap);
  expect(made.models).toEqual({
    'qwen3-8b': { source: '/srv/models/qwen3-8b.Q4_K_M.gguf' },
    coder: { source: join(place.folder, 'coder.gguf'), mmproj: '/srv/models/eyes.gguf' },
  });
  expect(made.deployments['qwen3-8b']).toEqual({
    model: 'qwen3-8b',
    load: 'on-demand',
    ttl: '120s',
    engine: {
      kind: 'llama.cpp',
      context: 8192,
      slots: 2,
      gpuLayers: 99,
      jinja: true,
      env: { CUDA_VISIBLE_DEVICES: '0' },
      startTimeout: '300s',
    },
  });
  expect(made.deployments['coder']).toMatchObject({
    ttl: '600s',
    engine: { context: 8192, alias: 'coder-7b' },
  });
  expect(made.deployments['whisper']).toEqual({
    load: 'on-demand',
    ttl: '0s',
    port: 9001,
    engine: {
      kind: 'command',
      command: ['/opt/whisper/server', '--port', '{port}', '--model', 'base.en'],
      healthPath: '/ready',
      slots: 1,
      startTimeout: '300s',
    },
  });
  expect(made.deployments['org-large-70b']).toEqual({
    engine: {
      kind: 'openai',
      url: 'http://192.168.1.20:8080',
      key: '${env:BOX_KEY}',
      servedModel: 'org/large-70b',
    },
  });
  expect(made.gateway).toEqual({
    routes: {
      'Qwen3-8B': { to: 'qwen3-8b', aliases: ['gpt-4o-mini', 'default'] },
      'org/large-70b': 'org-large-70b',
    },
    keys: { 'client-1': '${env:BERTH_KEY_1}', 'client-2': '${env:TEAM_KEY}' },
    onDemand: {
      sets: [
        ['qwen3-8b', 'whisper'],
        ['coder', 'whisper'],
      ],
    },
  });
  for (const secret of ['sk-very-secret-1', 'hf_abc', 'sk-hidden', 'sk-peer-secret'])
    expect(text).not.toContain(secret);
  const lines = llamaSwap.split('\n');
  expect(left.map((one) => one.path)).toEqual(
    expect.arrayContaining([
      'startPort',
      'hooks',
      'apiKeys.0',
      'models.Qwen3-8B.filters',
      'models.Qwen3-8B.env.1',
      'models.coder.cmd',
      'models.coder.unlisted',
      'models.whisper.cmdStop',
      'matrix.evict_costs',
      'peers.box.apiKey',
    ]),
  );
  expect(left.find((one) => one.path === 'models.Qwen3-8B.filters')?.line).toBe(
    lines.findIndex((line) => line.includes('filters:')) + 1,
  );
});

test.each([
  [
    'a matrix',
    `use: matrix
    settings:
      groups: {ignored: {members: [a-1, b]}}
      matrix:
        vars: {v: voice.x}
        evict_costs: {v: 50}
        sets: {one: "(a-1 | b) & v"}`,
    [
      ['a-1', 'voice.x'],
      ['b', 'voice.x'],
    ],
    ['routing.router.settings.matrix.evict_costs', 'routing.scheduler'],
  ],
  [
    'groups',
    `settings:
      groups: {both: {swap: false, members: [a-1, b]}}`,
    [['a-1', 'b'], ['voice.x']],
    ['routing.scheduler'],
  ],
])(
  'what newer files of llama-swap say under routing becomes sets too: %s',
  async (_, router, sets, paths) => {
    const { made, left } = await takeOver(`models:
  a-1: {cmd: "llama-server --port \${PORT} -m a.gguf -c 4096"}
  b: {cmd: "llama-server --port \${PORT} -m b.gguf -c 4096"}
  voice.x: {cmd: "llama-server --port \${PORT} -m c.gguf -c 4096"}
routing:
  router:
    ${router}
  scheduler: {use: fifo}
`);
    expect(made.gateway).toEqual({ onDemand: { sets } });
    expect(left.map(({ path }) => path).toSorted()).toEqual(paths);
  },
);

test('groups of llama-swap become sets of what may run together', async () => {
  const cmd = 'llama-server --port ${PORT} -m /m.gguf -c 4096';
  const { made, left } = await takeOver(`models:
  a: {cmd: "${cmd}", concurrencyLimit: 7}
  b: {cmd: "${cmd}"}
  c: {cmd: "${cmd}"}
  tiny: {cmd: "${cmd}"}
groups:
  big: {swap: true, exclusive: true, members: [a, b]}
  small: {swap: false, exclusive: true, members: [c]}
  ever: {swap: false, exclusive: false, persistent: true, members: [tiny]}
`);
  expect(made.gateway?.['onDemand']).toEqual({
    sets: [['tiny'], ['a', 'tiny'], ['b', 'tiny'], ['c', 'tiny']],
  });
  expect(left.map((one) => one.path)).toEqual(['models.a.concurrencyLimit']);
});

test('a llama-server that fetches its model becomes options with that source; one that stays a command says so', async () => {
  const { made, left } = await takeOver(`models:
  gemma: {cmd: "llama-server --port \${PORT} -hf ggml-org/gemma-3-1b-it-GGUF:Q4_K_M -c 8192 -ngl 99 --parallel 2"}
  file: {cmd: "llama-server --port \${PORT} --hf-repo=a/b --hf-file=x.gguf -c 4096"}
  plain: {cmd: "llama-server --port \${PORT} -hf a/b -c 4096"}
  draft: {cmd: "llama-server --port \${PORT} -m /m.gguf -md /d.gguf -c 4096"}
  other: {cmd: "llama-server --port \${PORT} --docker-repo ai/smollm2"}
`);
  expect(made.models).toMatchObject({
    gemma: { source: 'hf://ggml-org/gemma-3-1b-it-GGUF:Q4_K_M' },
    file: { source: 'hf://a/b/x.gguf' },
    plain: { source: 'hf://a/b:Q4_K_M' },
  });
  expect(made.deployments['gemma']?.['engine']).toEqual({
    kind: 'llama.cpp',
    context: 4096,
    slots: 2,
    gpuLayers: 99,
    startTimeout: '120s',
  });
  expect(made.deployments['file']?.['engine']).not.toHaveProperty('args');
  expect(made.deployments['other']?.['engine']).toMatchObject({ kind: 'command' });
  function reasonsOf(name: string): string[] {
    return left.filter((one) => one.path === `models.${name}.cmd`).map((one) => one.reason);
  }
  expect(reasonsOf('gemma')).toEqual([]);
  expect(reasonsOf('plain')).toEqual([expect.stringContaining('no quantization')]);
  expect(reasonsOf('draft').join(' ')).not.toContain('default');
  expect(reasonsOf('other')).toContain('It stays a command: the options of llama.cpp cannot say all of it.');
});

test('what a model of llama-swap takes from elsewhere is told by its name', async () => {
  const { left } = await takeOver(`models:
  a:
    cmd: "llama-server --port \${PORT} -m /m.gguf -c 4096"
    env: ["TOKEN=\${env.HF_TOKEN}"]
    filters: {setParamsByID: {"a:high": {reasoning_effort: high}}}
`);
  function reasonAt(path: string): string | undefined {
    return left.find((one) => one.path === path)?.reason;
  }
  expect(reasonAt('models.a.env.0')).toMatch(/HF_TOKEN.*export TOKEN in the shell/);
  expect(reasonAt('models.a.filters.setParamsByID.a:high')).toContain('a:high is no model here');
});

const liteLlm = `model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/OPENAI_API_KEY
      rpm: 60
      weight: 2
  - model_name: chat
    litellm_params:
      model: hosted_vllm/mistral-24b
      api_base: http://gpu-box:8000/v1
      api_key: sk-inline-secret
      rpm: 40
      tpm: 9000
      max_parallel_requests: 8
  - model_name: Local
    litellm_params: {model: ollama/llama3.2, api_base: "http://127.0.0.1:11434", api_key: none, temperature: 0.2, input_cost_per_token: 1.5e-7}
    model_info: {output_cost_per_token: 0.0000006, mode: chat}
  - model_name: claude
    litellm_params: {model: anthropic/claude-x, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: "*"
    litellm_params: {model: "openai/*"}
router_settings:
  routing_strategy: least-busy
  model_group_alias: {gpt-4: chat, other: claude}
  fallbacks: [{chat: [Local, claude]}]
litellm_settings: {drop_params: true, num_retries: 3}
general_settings: {master_key: sk-1234, database_url: "postgresql://u:p@db/x"}
`;

test('a file of LiteLLM becomes servers elsewhere, routes with weights, aliases and fallbacks, and limits', async () => {
  const { made, left, text } = await takeOver(liteLlm);
  expect(made.deployments).toEqual({
    chat: {
      engine: {
        kind: 'openai',
        url: 'https://api.openai.com',
        key: '${env:OPENAI_API_KEY}',
        servedModel: 'gpt-4o-mini',
      },
    },
    'chat-2': {
      engine: {
        kind: 'openai',
        url: 'http://gpu-box:8000/v1',
        key: '${env:CHAT_2_KEY}',
        servedModel: 'mistral-24b',
        slots: 8,
      },
    },
    local: { engine: { kind: 'openai', url: 'http://127.0.0.1:11434', servedModel: 'llama3.2' } },
  });
  expect(made.gateway).toEqual({
    routes: {
      chat: { to: { chat: 2, 'chat-2': 1 }, aliases: ['gpt-4'], fallback: ['Local'] },
      Local: { to: 'local' },
    },
    masterKey: '${env:BERTH_KEY}',
    prices: { Local: { input: 0.15, output: 0.6 } },
    limits: { models: { chat: { rpm: 100 } } },
  });
  for (const secret of ['sk-inline-secret', 'sk-1234', 'u:p@db']) expect(text).not.toContain(secret);
  expect(left.map((one) => one.path)).toEqual(
    expect.arrayContaining([
      'model_list.1.litellm_params.api_key',
      'model_list.1.litellm_params.tpm',
      'model_list.2.model_info.mode',
      'model_list.2.litellm_params.temperature',
      'model_list.3.litellm_params.model',
      'model_list.4.litellm_params.model',
      'router_settings.routing_strategy',
      'router_settings.model_group_alias.other',
      'router_settings.fallbacks.0.chat',
      'general_settings.master_key',
      'general_settings.database_url',
    ]),
  );
  expect(text).toContain('# Not carried over as it stands there:');
});

test('what LiteLLM has under another name is told by the name that it has here', async () => {
  const { made, left } = await takeOver(`model_list:
  - model_name: llama
    litellm_params: {model: openai/b, api_base: "http://b:8000", api_key: none, order: 2, stream_timeout: 60}
  - model_name: llama
    litellm_params: {model: openai/a, api_base: "http://a:8000", api_key: none, order: 1}
  - model_name: far
    litellm_params: {model: openai/c, api_base: os.environ/NOT_SET_ANYWHERE}
router_settings:
  redis_password: x
  allowed_fails: 3
  model_group_alias: {seen: llama, unseen: {model: llama, hidden: true}}
litellm_settings: {callbacks: [prometheus, otel], max_budget: 100}
general_settings: {max_parallel_requests: 100}
`);
  expect(made.deployments['llama']?.['engine']).toMatchObject({ servedModel: 'a' });
  expect(made.gateway?.['routes']).toEqual({
    llama: { to: 'llama', aliases: ['seen', 'unseen'], fallback: ['llama-2'] },
  });
  const told = Object.fromEntries(left.map((one) => [one.path, one.reason]));
  for (const [path, text] of [
    ['model_list.0.litellm_params.stream_timeout', 'gateway.limits.idle'],
    ['model_list.2.litellm_params.model', 'NOT_SET_ANYWHERE'],
    ['router_settings.redis_password', 'gateway.limits.shared'],
    ['router_settings.allowed_fails', 'left out by themselves'],
    ['router_settings.model_group_alias.unseen', 'always listed'],
    ['litellm_settings.callbacks', '/metrics'],
    ['litellm_settings.max_budget', 'eachKey.budget'],
    ['general_settings.max_parallel_requests', 'eachKey.concurrent'],
  ] as const)
    expect(told[path], path).toContain(text);
});

test('where nothing has a counterpart the file says why, and is valid', async () => {
  const { made, left } = await takeOver(
    'model_list: [{model_name: c, litellm_params: {model: anthropic/claude-3-5}}]\n',
  );
  expect(made.deployments).toEqual({});
  expect(left.map(({ path }) => path)).toEqual(['model_list.0.litellm_params.model']);
});

test('a file of neither is refused by name, and nothing is written', async () => {
  place.write('hello: world\n', 'theirs.yaml');
  const ran = await place.berth('init', '--from', 'theirs.yaml');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('neither a file of llama-swap nor of LiteLLM');
  expect((await place.berth('validate')).code).toBe(2);
});
