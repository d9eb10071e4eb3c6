import { expect, test } from 'vitest';
import { fleetFaults } from '../../../test/support/fleet-faults.ts';

const hub = `hf_${'aB3dE5gH7j'.repeat(3)}`;

/** What is told of a deployment with this engine and target, each with what stands there. */
async function told(engine: string, target = '{kind: process}', more = ''): Promise<string[]> {
  const text = `version: 1\nfleet: lab\nhosts: {box: {}, k: {kubernetes: {context: k}}}\n${more}
deployments:\n  a:\n    host: ${/kubernetes/.test(target) ? 'k' : 'box'}\n    engine: ${engine}\n    target: ${target}\n`;
  const faults = await fleetFaults(text);
  expect(JSON.stringify(faults)).not.toContain(hub);
  expect(faults.filter((one) => one.cure === '')).toEqual([]);
  return faults.map(({ line, column, message }) => {
    const [word] = (text.split('\n')[line - 1] ?? '').slice(column - 1).split(/[,\]}]/);
    return `${word}: ${message}`;
  });
}

const place = 'would put a secret into the fleet file.';

test.each([
  ['[x, --api-key, s3cr3t]', '--api-key', '--api-key'],
  [`[x, --hf-token, ${hub}]`, '--hf-token', '--hf-token'],
  ['[x, --api-key=s3cr3t]', '--api-key', '--api-key=s3cr3t'],
  ['[sh, -c, "HF_TOKEN=abc exec x"]', 'HF_TOKEN', '"HF_TOKEN=abc exec x"'],
  [`[sh, -c, "x --token 'abc d'"]`, '--token', `"x --token 'abc d'"`],
  ['[x, --use-auth-token, --api-key, s3cr3t]', '--api-key', '--api-key'],
  ['[x, --use-auth-token=s3cr3t]', '--use-auth-token', '--use-auth-token=s3cr3t'],
  ['[sh, -c, "x --use-auth-token --api-key s3cr3t"]', '--api-key', '"x --use-auth-token --api-key s3cr3t"'],
  ['[sh, -c, "x --token none --api-key abc"]', '--api-key', '"x --token none --api-key abc"'],
  [`[sh, -c, "HF_TOKEN='$1abc' x"]`, 'HF_TOKEN', `"HF_TOKEN='$1abc' x"`],
  ['[x], env: {MY_PASSWORD: abc}', 'MY_PASSWORD', 'abc'],
])(
  'a secret in what an engine is given is told by its name, where it stands: %s',
  async (rest, name, word) => {
    expect(await told(`{kind: command, command: ${rest}}`)).toEqual([`${word}: ${name} ${place}`]);
  },
);

test.each([
  ['{kind: docker, image: i, hostConfig: {Env: [A=1, HF_TOKEN=abc]}}', 'HF_TOKEN', 'HF_TOKEN=abc'],
  ['{kind: systemd, unit: {Service: {Environment: "A=1 API_KEY=abc"}}}', 'API_KEY', '"A=1 API_KEY=abc"'],
  [`{kind: systemd, unit: {Service: {Environment: ['"API_KEY=a b"']}}}`, 'API_KEY', `'"API_KEY=a b"'`],
  ['{kind: systemd, unit: {Service: {ExecStartPost: "/r --token s3c"}}}', '--token', '"/r --token s3c"'],
  ['{kind: systemd, unit: {Service: {ExecStop: ["/r --token=s3c"]}}}', '--token', '"/r --token=s3c"'],
  ['{kind: kubernetes, image: i, patch: {pod: {env: [{name: API_KEY, value: abc}]}}}', 'API_KEY', 'abc'],
  ['{kind: kubernetes, image: i, patch: {secret: {stringData: {TOKEN: abc}}}}', 'TOKEN', 'abc'],
])('a secret in what a target passes on is told, too: %s', async (target, name, word) => {
  expect(await told('{kind: command, command: [x]}', target)).toContain(`${word}: ${name} ${place}`);
});

test('a secret is known by its looks, whatever it is called, and none is told twice', async () => {
  const engine = `{kind: command, command: [x, --auth, "x ${hub}"], env: {HF_TOKEN: ${hub}}}`;
  expect((await told(engine)).map((line) => line.replace(hub, '…'))).toEqual([
    '"x …": This looks like a token of Hugging Face, and the fleet file is no place for one.',
    `…: HF_TOKEN ${place}`,
  ]);
  const more = 'models: {m: {source: "https://u:pw@host/m.gguf", secret: sk-1234567890123456789012}}';
  expect(await told(`{kind: llama.cpp, args: [--hf-token, ${hub}]}`, '{kind: process}', more)).toEqual([
    expect.stringContaining('The address holds a name or password'),
    expect.stringMatching(/^sk-.*What stands here is not allowed/),
    `a:: "model" is missing.`,
    '--hf-token: --hf-token would show a secret in the process list.',
  ]);
});

test.each([
  `{kind: command, command: [x, --api-key-file, "{key-file}", --max-tokens, "5", --eos-token, "</s>"]}`,
  `{kind: command, command: [sh, -c, 'x --api-key "$KEY" --token $HF_TOKEN; A=$TOKEN y']}`,
  `{kind: command, command: [sh, -c, 'HF_TOKEN=$(cat /run/t) x', --api-key, $KEY]}`,
  `{kind: command, command: [x], env: {HF_TOKEN_PATH: /run/t, TOKEN: "\${TOKEN}", API_KEY: "", EOS_TOKEN: "</s>", SORT_KEY: name, OPENAI_API_KEY: EMPTY}}`,
  `{kind: command, command: [x, --served-model-name, sk-hynix-assistant-7b-of-ours, hf://a/hf_transfer_of_long_names]}`,
  `{kind: command, command: [x, -m, /srv/models/sk-hynix-7b-instruct-q4_k_m.gguf, ghcr.io/x/sk-inference-server-cuda12:v1]}`,
  `{kind: command, command: [x, "hf://org/sk-llama-3-8b-instruct-gguf:Q4_K_M", sk_llama_3_8b_instruct_q4_k_m_imatrix]}`,
  `{kind: command, command: [x, --events, '{"publisher":"zmq","endpoint":"tcp://epp.llm.svc:5557","topic":"kv@pod1@model"}']}`,
  `{kind: command, command: [x, --use-auth-token, --port, "{port}", --require-api-key, serve, --no-api-key, m]}`,
  `{kind: command, command: [x, --api-key, EMPTY, --api-key=none, --hf-token, /run/secrets/hf, --token, "{key-file}"]}`,
  `{kind: command, command: [sh, -c, 'x --api-key EMPTY --hf-token "/run/secrets/hf" --token \`cat /t\` --no-api-key m; (y --token none); z']}`,
  `{kind: command, command: [sh, -c, 'HF_TOKEN=\`cat /run/t\` exec x']}`,
  `{kind: command, command: [sh, -c, 'HF_TOKEN="$(cat "$CREDENTIALS_DIRECTORY/t")" x']}`,
  `{kind: command, command: [sh, -c, 'HF_TOKEN=\${HF_TOKEN:-$(cat /t)} API_KEY=$1 x']}`,
  `{kind: command, command: [x], env: {PROXY: "http://proxy:3128", MIRROR: "http://u:$PASS@host"}}`,
])('references, paths of files and ordinary words are no secrets: %s', async (engine) => {
  expect(await told(engine)).toEqual([]);
});

test.each([
  'sk-proj-aB3-dE5_gH7-jK9mN1pQ3',
  'sk-ant-api03-aB3-dE5_gH7-jK9mN1pQ3',
  'sk-or-v1-0123456789abcdef0123456789abcdef',
  'sk-aB3dE5gH7jK9mN1pQ3sT5',
])('the keys of those who give them out have their own looks: %s', async (key) => {
  expect(await told(`{kind: command, command: [x, "--auth=${key}"]}`)).toEqual([
    expect.stringContaining('This looks like an API key'),
  ]);
});

test('a reference in what a target passes on would stay as it is', async () => {
  const target = `{kind: docker, image: i, hostConfig: {Env: ["HF_TOKEN=\${env:HF_TOKEN}"]}}`;
  expect(await told('{kind: command, command: [x]}', target)).toEqual([
    expect.stringContaining('No secret is filled in here.'),
  ]);
});

test.each([
  ['env: {AWS_SECRET_ACCESS_KEY: wJalrXUt}', `wJalrXUt: AWS_SECRET_ACCESS_KEY ${place}`],
  ['entrypoint: [sh, -c, "HF_TOKEN=abc get"]', `"HF_TOKEN=abc get": HF_TOKEN ${place}`],
  ['env: {HF_TOKEN: "${env:HF_TOKEN}"}', '"${env:HF_TOKEN: No secret is filled in here.'],
  [`env: {HF_ENDPOINT: "https://hub.lan"}, entrypoint: [sh, -c, 'get "$HF_TOKEN"']`, null],
])('the Job that fetches a model shows what the file gives it: %s', async (given, fault) => {
  const models = `models: {m: {source: "hf://o/n", at: {k: {pvc: c, path: n, fetch: {size: 5Gi, ${given}}}}}}`;
  expect(await told('{kind: command, command: [x]}', '{kind: process}', models)).toEqual(
    fault === null ? [] : [fault],
  );
});
