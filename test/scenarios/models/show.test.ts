import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 120_000 });

const gguf = readFileSync(
  join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf'),
);

let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

test('a GGUF is described from its front, before anything is fetched', async () => {
  hub.files.set('toy.Q8_0.gguf', contentOfBytes(gguf));
  const shown = await place.berth('models', 'show', 'hf://lab/tiny', '--json');
  expect(shown.json()).toMatchObject({
    format: 'gguf',
    architecture: 'llama',
    quantization: 'Q8_0',
    licence: 'apache-2.0',
    bytes: gguf.length,
    pulled: false,
  });
  const facts = shown.json() as { parameters: number; context: number };
  expect(facts.parameters).toBeGreaterThan(1e6);
  expect(facts.context).toBeGreaterThan(0);
  const asked = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range?.to ?? gguf.length);
  expect(Math.max(...asked)).toBeLessThan(gguf.length - 1);
});

test('a file, a folder and a model of the fleet file are described where they lie', async () => {
  mkdirSync(join(place.folder, 'files'));
  writeFileSync(join(place.folder, 'files/toy.Q8_0.gguf'), gguf);
  place.write('version: 1\nfleet: lab\nmodels: {toy: {source: ./files/toy.Q8_0.gguf}}');
  const path = join(place.folder, 'files/toy.Q8_0.gguf');
  for (const name of ['./files/toy.Q8_0.gguf', path, './files', 'toy'])
    expect((await place.berth('models', 'show', name, '--json')).json()).toMatchObject({
      source: name === './files' ? join(place.folder, 'files') : path,
      architecture: 'llama',
      quantization: 'Q8_0',
      bytes: gguf.length,
    });
  const missing = await place.berth('models', 'show', './gone.gguf');
  expect(missing.stderr).toContain(`The model ${join(place.folder, 'gone.gguf')} does not exist.`);
  expect(missing.code).toBe(2);
});

test('a folder of safetensors is described by its configuration and the fronts of its shards', async () => {
  const config = {
    architectures: ['MistralForCausalLM'],
    max_position_embeddings: 32768,
    torch_dtype: 'bfloat16',
  };
  hub.files.set('config.json', contentOfBytes(Buffer.from(JSON.stringify(config))));
  for (const n of [1, 2])
    hub.files.set(
      `model-0000${n}-of-00002.safetensors`,
      contentOfBytes(
        shard({ [`w${n}`]: { dtype: 'BF16', shape: [1000, 8], data_offsets: [0, 16_000] } }, 16_000),
      ),
    );
  const shown = await place.berth('models', 'show', 'hf://lab/tiny', '--json');
  expect(shown.json()).toMatchObject({
    format: 'safetensors',
    architecture: 'MistralForCausalLM',
    parameters: 16_000,
    quantization: 'bfloat16',
    context: 32768,
  });
});

test.each([
  ['gptq', { quant_method: 'gptq', bits: 4 }, 'qweight', 'qzeros', 8000],
  ['awq', { quant_method: 'awq', w_bit: 4 }, 'qweight', 'scales', 8000],
  [
    'compressed-tensors',
    { quant_method: 'compressed-tensors', config_groups: { group_0: { weights: { num_bits: 4 } } } },
    'weight_packed',
    'weight_shape',
    8000,
  ],
  ['a method that tells no bits', { quant_method: 'own' }, 'qweight', 'scales', null],
])('packed weights of %s are counted as many as they are', async (_, quantization, name, beside, count) => {
  const config = { architectures: ['MistralForCausalLM'], quantization_config: quantization };
  hub.files.set('config.json', contentOfBytes(Buffer.from(JSON.stringify(config))));
  const tensors = {
    [`model.layers.0.mlp.up_proj.${name}`]: { dtype: 'I32', shape: [100, 10], data_offsets: [0, 4000] },
    [`model.layers.0.mlp.up_proj.${beside}`]: { dtype: 'I32', shape: [10], data_offsets: [4000, 4040] },
    'model.norm.weight': { dtype: 'BF16', shape: [100], data_offsets: [4040, 4240] },
  };
  hub.files.set('model.safetensors', contentOfBytes(shard(tensors, 4240)));
  const shown = await place.berth('models', 'show', 'hf://lab/tiny', '--json');
  expect(shown.json()).toMatchObject({ parameters: count === null ? null : count + 100 });
});

test('a folder of a repository is what it would be by itself: described, fetched and given as a folder', async () => {
  const config = { architectures: ['MistralForCausalLM'], max_position_embeddings: 4096 };
  const weights = shard({ w: { dtype: 'BF16', shape: [10, 8], data_offsets: [0, 160] } }, 160);
  hub.files.set('config.json', contentOfBytes(Buffer.from('{"architectures":["Other"]}')));
  hub.files.set('small/config.json', contentOfBytes(Buffer.from(JSON.stringify(config))));
  hub.files.set('small/tokenizer.json', contentOfBytes(Buffer.from('{}')));
  hub.files.set('small/model.safetensors', contentOfBytes(weights));
  hub.files.set('large/model.safetensors', contentOfBytes(weights));
  const shown = await place.berth('models', 'show', 'hf://lab/tiny/small', '--json');
  expect(shown.json()).toMatchObject({
    architecture: 'MistralForCausalLM',
    parameters: 80,
    context: 4096,
  });
  const path = pathOf(await place.berth('pull', 'hf://lab/tiny/small', '--json'));
  expect(readdirSync(path).toSorted()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
});

test('what a cluster brings keeps none of the other models of a file from being fetched', async () => {
  hub.files.set('m.gguf', contentOfBytes(gguf));
  place.write(`version: 1
fleet: lab
models:
  claim: {source: "pvc://weights/m.gguf"}
  image: {source: "oci://registry.example/m:1"}
  hub: {source: "hf://lab/tiny"}
`);
  const all = await place.berth('pull', '--json');
  expect([all.code, all.json()], all.stderr).toEqual([0, [expect.objectContaining({ fetched: true })]]);
  const named = await place.berth('pull', 'claim');
  expect([named.code === 0, named.stderr]).toEqual([false, expect.stringContaining('a claim of a cluster')]);
});

function shard(header: object, dataBytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}

test.each([
  ['lies about ranges', () => ({ do: 'lie' }) as const],
  ['knows no ranges', () => ({ do: 'no-ranges' }) as const],
])('a server that %s is read from its front', async (_what, fault) => {
  hub.files.set('toy.Q8_0.gguf', contentOfBytes(gguf));
  hub.fault = fault;
  const shown = await place.berth('models', 'show', 'hf://lab/tiny', '--json');
  expect([shown.code, shown.stderr]).toEqual([0, '']);
  expect(shown.json()).toMatchObject({ format: 'gguf', architecture: 'llama' });
});

test('a server that breaks off is told', async () => {
  hub.files.set('toy.Q8_0.gguf', contentOfBytes(gguf));
  hub.fault = () => ({ do: 'cut', after: 100 });
  const shown = await place.berth('models', 'show', 'hf://lab/tiny');
  expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining('did not give hf://lab/tiny')]);
});
