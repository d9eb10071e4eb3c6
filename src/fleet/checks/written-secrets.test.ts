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
  `{kind: command, command: [x, --served-model-name, sk-hynix-assistant-model-of-ours, hf://a/hf_transfer_of_long_names]}`,
  `{kind: command, command: [x], env: {PROXY: "http://proxy:3128", MIRROR: "http://u:$PASS@host"}}`,
])('references, paths of files and ordinary words are no secrets: %s', async (engine) => {
  expect(await told(engine)).toEqual([]);
});

test('a reference in what a target passes on would stay as it is', async () => {
  const target = `{kind: docker, image: i, hostConfig: {Env: ["HF_TOKEN=\${env:HF_TOKEN}"]}}`;
  expect(await told('{kind: command, command: [x]}', target)).toEqual([
    expect.stringContaining('No secret is filled in here.'),
  ]);
});
