import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { runtimeFaults } from './runtime-checks.ts';

function faultsOf(...deployments: readonly string[]): string[] {
  const hosts = 'hosts: {k: {kubernetes: {}}, l: {kubernetes: {}}}';
  const text = [hosts, 'deployments:', ...deployments.map((one) => `  ${one}`)].join('\n');
  const { tree, faults } = readTree('berth.yaml', text);
  expect(faults).toEqual([]);
  return tree === null ? [] : runtimeFaults(tree).map((one) => `${one.line} ${one.path}: ${one.message}`);
}

function own(host: string, engine: string, target = ''): string {
  return `{host: ${host}, engine: {${engine}}, target: {runtime: {create: rt}${target}}}`;
}

test('what is meant is compared, however it is written', () => {
  const kserve = ', kind: kserve';
  const usual = 'kind: vllm, version: 0.18.0';
  expect(
    faultsOf(
      `a: ${own('k', `${usual}, startTimeout: 10m`, kserve)}`,
      `b: ${own('k', `${usual}, startTimeout: 600s`, kserve)}`,
      `c: ${own('k', 'kind: vllm', kserve).replace('create: rt', 'create: other')}`,
      `d: ${own('k', 'kind: vllm, startTimeout: 30m', kserve).replace('create: rt', 'create: other')}`,
      `e: ${own('k', `${usual}, startTimeout: 11m`, kserve)}`,
    ),
  ).toEqual(['7 deployments.e: It shares the runtime rt with a, and says another engine.startTimeout.']);
});

test('those that share a runtime say the same of it', () => {
  expect(
    faultsOf(
      `a: ${own('k', 'kind: vllm, maxSeqs: 4')}`,
      `b: ${own('k', 'kind: vllm, maxSeqs: 8')}`,
      `c: ${own('k', 'kind: vllm, version: 0.18.0')}`,
      `d: ${own('k', 'kind: vllm', ', format: gguf')}`,
      `e: ${own('l', 'kind: llama.cpp')}`,
    ),
  ).toEqual([
    '5 deployments.c: It shares the runtime rt with a, and says another engine.version.',
    '6 deployments.d: It shares the runtime rt with a, and says another target.format.',
  ]);
});
