import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { crossFaults } from './cross-checks.ts';

/** Faults of two models, each with a place in clusters, that are deployed on such hosts. */
function faultsOf(
  a: string,
  b: string,
  hosts: readonly [string, string] = ['k', 'k'],
  mmproj: readonly [string, string] = ['', ''],
): string[] {
  const text = [
    'version: 1',
    'fleet: lab',
    'hosts: {k: {kubernetes: {context: c}}, l: {kubernetes: {context: d}}}',
    'models:',
    `  a: {source: "https://u:s3cr3t@h/a.gguf", ${mmproj[0]} at: {k: {pvc: weights, ${a}}, l: {pvc: weights, ${a}}}}`,
    `  b: {source: "hf://o/b:Q8_0", ${mmproj[1]} at: {k: {pvc: weights, ${b}}, l: {pvc: weights, ${b}}}}`,
    'deployments:',
    ...hosts.map(
      (host, at) => `  ${'de'[at]}: {host: ${host}, model: ${'ab'[at]}, engine: {kind: llama.cpp}}`,
    ),
    '  f: {host: k, model: b, port: 8099, engine: {kind: llama.cpp}}'.repeat(hosts[1] === 'k' ? 1 : 0),
  ];
  const { tree } = readTree('berth.yaml', text.join('\n'));
  const told = tree === null ? [] : crossFaults(tree);
  return told
    .filter(({ message }) => /place of .*model/.test(message))
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

const projectors = ['mmproj: "https://h/a/mmproj.gguf",', 'mmproj: "https://h/b/mmproj.gguf?x",'] as const;

test('the projectors of two models are not fetched to one place of a claim', () => {
  const beside = [`path: m/a.gguf, ${fetch}`, `path: m/b.gguf, ${fetch}`] as const;
  expect(faultsOf(...beside, ['k', 'k'], projectors)).toEqual([
    '6 models.b.at.k: Its projector is fetched to the place of the projector of model a, which comes from https://h/a/mmproj.gguf.',
  ]);
  expect(faultsOf(...beside, ['k', 'k'], [projectors[0], projectors[0]])).toEqual([]);
  const apart = [`path: a/m.gguf, ${fetch}`, `path: b/m.gguf, ${fetch}`] as const;
  expect(faultsOf(...apart, ['k', 'k'], projectors)).toEqual([]);
  // One that lies where another model does.
  const over = [`path: m/mmproj.gguf, ${fetch}`, `path: m/b.gguf, ${fetch}`] as const;
  expect(faultsOf(...over, ['k', 'k'], ['', projectors[1]])).toHaveLength(1);
});

test.each([
  ['paths of their own', `path: a.gguf, ${fetch}`, `path: b.gguf, ${fetch}`, ['k', 'k']],
  ['one that nobody fetches', `path: m.gguf, ${fetch}`, 'path: m.gguf', ['k', 'k']],
  ['hosts of their own', `path: m.gguf, ${fetch}`, `path: m.gguf, ${fetch}`, ['k', 'l']],
] as const)('models with %s may share a claim', (_, a, b, hosts) => {
  expect(faultsOf(a, b, hosts)).toEqual([]);
});
