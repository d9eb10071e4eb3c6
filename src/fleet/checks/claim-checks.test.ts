import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { crossFaults } from './cross-checks.ts';

/** Faults of two models, each with a place in clusters, that are deployed on such hosts. */
function faultsOf(a: string, b: string, hosts: readonly [string, string] = ['k', 'k']): string[] {
  const text = [
    'version: 1',
    'fleet: lab',
    'hosts: {k: {kubernetes: {context: c}}, l: {kubernetes: {context: d}}}',
    'models:',
    `  a: {source: "https://u:s3cr3t@h/a.gguf", at: {k: {pvc: weights, ${a}}, l: {pvc: weights, ${a}}}}`,
    `  b: {source: "hf://o/b:Q8_0", at: {k: {pvc: weights, ${b}}, l: {pvc: weights, ${b}}}}`,
    'deployments:',
    ...hosts.map(
      (host, at) => `  ${'de'[at]}: {host: ${host}, model: ${'ab'[at]}, engine: {kind: llama.cpp}}`,
    ),
    '  f: {host: k, model: b, port: 8099, engine: {kind: llama.cpp}}'.repeat(hosts[1] === 'k' ? 1 : 0),
  ];
  const { tree } = readTree('berth.yaml', text.join('\n'));
  const told = tree === null ? [] : crossFaults(tree);
  return told
    .filter(({ message }) => message.includes('place of model'))
    .map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

const fetch = 'fetch: {size: 5Gi, berth: "r/berth:1"}';

test('two models are not fetched to one place of a claim', () => {
  const same = [`path: m.gguf, ${fetch}`, `path: ./m.gguf, ${fetch}`] as const;
  expect(faultsOf(...same)).toEqual([
    '6 models.b.at.k: It is fetched to the place of model a, which comes from https://h/a.gguf.',
  ]);
  expect(faultsOf(fetch, fetch)).toHaveLength(1);
});

test.each([
  ['paths of their own', `path: a.gguf, ${fetch}`, `path: b.gguf, ${fetch}`, ['k', 'k']],
  ['one that nobody fetches', `path: m.gguf, ${fetch}`, 'path: m.gguf', ['k', 'k']],
  ['hosts of their own', `path: m.gguf, ${fetch}`, `path: m.gguf, ${fetch}`, ['k', 'l']],
] as const)('models with %s may share a claim', (_, a, b, hosts) => {
  expect(faultsOf(a, b, hosts)).toEqual([]);
});
