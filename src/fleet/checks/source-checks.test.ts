import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { sourceFaults } from './source-checks.ts';

const onMachine = 'engine: {kind: embedded}';

function faultsOf(source: string, deployment = onMachine, at = '{}'): string[] {
  const text = `hosts: {box: {}, k: {kubernetes: {context: k}}}
models: {m: {source: ${JSON.stringify(source)}, at: ${at}}}
deployments: {d: {model: m, ${deployment}}}`;
  const { tree } = readTree('berth.yaml', text);
  return tree === null ? [] : sourceFaults(tree).map(({ message }) => message);
}

test.each([
  ['https://user:pw@host/m.gguf', 'a name or password'],
  ['https://token@host/m.gguf', 'a name or password'],
  ['https://b.s3.amazonaws.com/m.gguf?X-Amz-Date=1&X-Amz-Signature=ab', 'a key (X-Amz-Signature)'],
  ['https://acc.blob.core.windows.net/c/m.gguf?sv=1&sig=ab', 'a key (sig)'],
  ['https://host/m.gguf?access_token=ab', 'a key (access_token)'],
])('an address that lets somebody in is refused, without a word of its key: %s', (source, what) => {
  const [message, ...others] = faultsOf(source);
  expect(message).toBe(`The address holds ${what}, and plans and marks show addresses.`);
  expect(others).toEqual([]);
});

test.each([
  'https://host/m.gguf',
  'https://host/m.gguf?download=true',
  'https://huggingface.co/o/n/resolve/main/m.gguf?download=true',
  'https://mirror.lan/o/n',
  `https://host/m.gguf#sha256=${'B8'.repeat(32)}`,
  'hf://a/b/c.gguf',
  's3://models/p',
  './m@1?.gguf',
])('all others are taken: %s', (source) => {
  expect(faultsOf(source)).toEqual([]);
});

test.each([
  ['s3://My_Bucket/p', 'No bucket can be called "My_Bucket"'],
  ['s3://b/p', 'No bucket can be called "b"'],
  ['s3://AKIA0:wJalrXU/tnFEMI@bucket/p', 'No bucket can be called so: names'],
  ['s3://My_Bucket?x=wJalrXU', 'No bucket can be called "My_Bucket": names'],
  ['hf://name', 'It wants an owner and a name'],
  ['https://host/', 'It wants a host and the path of a file'],
  ['https://huggingface.co/o/n-GGUF', 'It is a page of the Hub and no file: what it shows is hf://o/n-GGUF.'],
  ['https://huggingface.co/o/n/blob/main/d/m.gguf', 'what it shows is hf://o/n/d/m.gguf.'],
  ['https://hf.co/o/n/tree/v2?x=1', 'what it shows is hf://o/n@v2.'],
  ['https://host/m.gguf#sha256=b829c9', 'What stands behind # is no sum'],
  [`https://host/m.gguf#sha256:${'b8'.repeat(32)}`, 'What stands behind # is no sum'],
])('an address that is not of its form is told with what is wrong: %s', (source, reason) => {
  const told = faultsOf(source);
  expect(told).toEqual([expect.stringContaining(reason)]);
  expect(told.join('')).not.toContain('wJalrXU');
});

const vllm = 'engine: {kind: vllm}';
const kserve = 'host: k, target: {kind: kserve}';

test.each([
  ['hf://gpt2', vllm, '{}'],
  ['hf://gpt2', `${vllm}, ${kserve}`, '{}'],
  ['hf://gpt2', 'engine: {kind: openai}', '{}'],
  ['s3://My_Bucket/p', `${vllm}, ${kserve}`, '{}'],
  ['s3://My_Bucket/p', `${vllm}, host: k`, '{k: {pvc: c}}'],
  ['s3://My_Bucket/p', 'engine: {kind: openai}', '{}'],
])('what others fetch, or lies there, is theirs to read: %s for %s, at %s', (source, deployment, at) => {
  expect(faultsOf(source, deployment, at)).toEqual([]);
});

test.each([
  ['hf://gpt2', 'engine: {kind: llama.cpp}', '{}', 'It wants an owner and a name'],
  ['s3://My_Bucket/p', vllm, '{}', 'No bucket can be called "My_Bucket"'],
  ['s3://b/p', `${vllm}, host: k`, '{k: {pvc: c, fetch: {size: 5Gi}}}', 'No bucket can be called "b"'],
])('what is to be fetched for it is told: %s for %s, at %s', (source, deployment, at, reason) => {
  expect(faultsOf(source, deployment, at)).toEqual([expect.stringContaining(reason)]);
});

test.each([
  ['https://host/p.gguf?access_token=ab', 'The address holds a key (access_token)'],
  ['ftp://host/p.gguf', 'Models from ftp:// are not supported yet'],
  ['https://host/p.gguf#sha256=ab', 'What stands behind # is no sum'],
])('a projector is held to the same: %s', (mmproj, reason) => {
  const text = `models: {m: {source: ./m.gguf, mmproj: ${JSON.stringify(mmproj)}}}
deployments: {d: {model: m, engine: {kind: llama.cpp}}}`;
  const { tree } = readTree('berth.yaml', text);
  expect(tree && sourceFaults(tree)).toEqual([
    expect.objectContaining({ message: expect.stringContaining(reason) as unknown }),
  ]);
});
