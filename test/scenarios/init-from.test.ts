import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { takeOver } from '../support/take-over.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

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
  const { made, left, text } = await takeOver(place, liteLlm);
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
  const { made, left } = await takeOver(
    place,
    `model_list:
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
`,
  );
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

test('an entry of LiteLLM has the provider, the address and the key that LiteLLM takes it for', async () => {
  const { made, left } = await takeOver(
    place,
    `model_list:
  - {model_name: bare, litellm_params: {model: gpt-4o}}
  - {model_name: own, litellm_params: {model: xai/grok-4}}
  - {model_name: near, litellm_params: {model: openai/org/small, api_base: "http://box:8000/v1"}}
  - {model_name: stated, litellm_params: {model: org/large, custom_llm_provider: openai, api_base: "http://v2-box:8001"}}
  - {model_name: like, litellm_params: {model: openai/gpt-4o, api_base: "https://api.openai.com.example.com/v1"}}
  - {model_name: odd, litellm_params: {model: claude-3-5-sonnet}}
  - {model_name: other, litellm_params: {model: bedrock/titan}}
  - {model_name: beta, litellm_params: {model: openai/gemini, api_base: "https://example.com/v1beta/openai/"}}
  - {model_name: deep, litellm_params: {model: openai/deep, api_base: "https://example.com/v1/openai"}}
`,
  );
  const engines = Object.entries(made.deployments).map(([name, { engine }]) => {
    const { url, key, servedModel } = engine as Record<string, string | undefined>;
    return [name, url, key, servedModel];
  });
  expect(engines).toEqual([
    ['bare', 'https://api.openai.com', '${env:OPENAI_API_KEY}', 'gpt-4o'],
    ['own', 'https://api.x.ai', '${env:XAI_API_KEY}', 'grok-4'],
    ['near', 'http://box:8000/v1', undefined, 'org/small'],
    ['stated', 'http://v2-box:8001', undefined, 'org/large'],
    ['like', 'https://api.openai.com.example.com/v1', undefined, 'gpt-4o'],
  ]);
  expect(left.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    expect.stringMatching(/^model_list\.5\..* names no provider/),
    expect.stringMatching(/^model_list\.6\..* does not know that bedrock has it/),
    expect.stringMatching(/^model_list\.7\..* below \/v1, .*v1beta\/openai/),
    expect.stringMatching(/^model_list\.8\..* below \/v1, .*v1\/openai/),
  ]);
});

test('where nothing has a counterpart the file says why, and is valid', async () => {
  const { made, left } = await takeOver(
    place,
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
