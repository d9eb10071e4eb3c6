import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Arg } from '../../../src/domain/launch-spec.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { makePlace, ownPorts } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.close();
});

async function planned(source: string, engine: string): Promise<Plan> {
  place.write(`version: 1
fleet: lab
id: hub-forms
${ownPorts()}
models: {m: {source: "${source}"}}
deployments:
  d: {model: m, engine: {${engine}}}
`);
  return (await place.berth('plan', '--json')).json();
}

function started({ actions }: Plan): { words: readonly Arg[]; model: string | null } {
  const [action] = actions;
  if (action?.do !== 'start') throw new Error('nothing is started');
  const { args, model } = action.wanted.spec;
  return { words: args, model };
}

const llama = 'kind: llama.cpp, binary: /nowhere/llama-server';
const vllm = 'kind: vllm, binary: /nowhere/vllm';

test.each([
  ['hf://o/n-GGUF:Q8_0', llama, ['--hf-repo', 'o/n-GGUF:Q8_0']],
  ['hf://o/n-GGUF/deep/f.gguf', llama, ['--hf-repo', 'o/n-GGUF', '--hf-file', 'deep/f.gguf']],
  ['hf://o/n-GGUF@main/f.gguf', llama, ['--hf-repo', 'o/n-GGUF', '--hf-file', 'f.gguf']],
  ['hf://o/n', vllm, ['serve', 'o/n']],
])('the engine is told what it fetches itself: %s', async (source, engine, words) => {
  const plan = await planned(source, engine);
  expect(started(plan).words.slice(0, words.length)).toEqual(words);
  expect(started(plan).model).toBeNull();
  expect(plan.fetch).toBeUndefined();
});

test.each([
  ['hf://o/n@v1.0', 'v1.0'],
  ['hf://o/n@refs%2Fpr%2F7', 'refs/pr/7'],
])('vLLM is told the revision apart from the name: %s', async (source, revision) => {
  const { words, model } = started(await planned(source, vllm));
  expect([words[0], words[1], model]).toEqual(['serve', 'o/n', null]);
  expect(words[words.indexOf('--revision') + 1]).toBe(revision);
});

test.each([
  ['hf://o/n-GGUF@v2/f.gguf', llama],
  ['hf://o/n-GGUF@v2:Q8_0', llama],
  ['hf://o/n-GGUF/folder', llama],
  ['hf://o/n/f.gguf', vllm],
  ['hf://o/n:Q8_0', vllm],
])('what it cannot be told berth fetches: %s', async (source, engine) => {
  const plan = await planned(source, engine);
  expect(started(plan).model).toBe(source);
  expect(started(plan).words).toContainEqual({ hole: 'model' });
  expect(plan.fetch).toMatchObject([{ deployment: 'd', source }]);
});

test('in a cluster, where nobody fetches it, it is refused with a cure', async () => {
  place.write(`version: 1
fleet: lab
id: hub-forms
hosts: {k: {kubernetes: {context: k}}}
models: {m: {source: "hf://o/n-GGUF@v2/f.gguf"}}
deployments:
  d: {model: m, engine: {kind: llama.cpp}, host: k, target: {kind: kubernetes}}
`);
  const rendered = await place.berth('render', '--format', 'kubernetes');
  expect(rendered.code).not.toBe(0);
  expect(rendered.stderr).toContain('nobody fetches hf://o/n-GGUF@v2/f.gguf there');
  expect(rendered.stderr).toContain('models.NAME.at');
});

const gated = `version: 1
fleet: lab
id: hub-forms
hosts: {k: {kubernetes: {context: k, namespace: llm}}}
models: {m: {source: "hf://o/n-GGUF:Q8_0", secret: "\${env:HUB_TOKEN}"}}
deployments:
`;

test('a gated model that llama.cpp is to serve on a machine is fetched by berth, which shows the token', async () => {
  place.env['HUB_TOKEN'] = 'hf_canary';
  place.write(`${gated}  d: {model: m, host: local, engine: {${llama}}}\n`);
  const plan: Plan = (await place.berth('plan', '--json')).json();
  expect(started(plan).model).toBe('hf://o/n-GGUF:Q8_0');
  expect(plan.fetch).toMatchObject([{ deployment: 'd', secret: { env: 'HUB_TOKEN' } }]);
});

test.each(['kubernetes', 'kserve'])(
  'in a cluster (%s) llama.cpp is given the token of a gated model by a reference to a Secret',
  async (target) => {
    place.env['HUB_TOKEN'] = 'hf_canary';
    place.write(`${gated}  d: {model: m, host: k, engine: {kind: llama.cpp}, target: {kind: ${target}}}\n`);
    const { stdout, stderr } = await place.berth('render', '--format', 'kubernetes');
    expect(stdout).toMatch(
      /- name: HF_TOKEN\s+valueFrom:\s+secretKeyRef:\s+name: d-secrets\s+key: env-HF_TOKEN/,
    );
    expect(stderr).toContain(`printf '%s\\n' "env-HF_TOKEN=\${HUB_TOKEN:?}" | kubectl create secret`);
    expect(stdout + stderr).not.toContain('canary');
  },
);
