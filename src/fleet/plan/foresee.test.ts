import { expect, test } from 'vitest';
import { faultLines, fleetDeployments, fleetFindings } from '../../../test/support/fleet-faults.ts';

const head = `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, box: {}}
models: {m: {source: /m/m.gguf}}
`;

test('a model that two deployments serve is told by where both hold it', async () => {
  async function told(host: string): Promise<string[]> {
    const one = `{model: m, host: ${host}, engine: {kind: llama.cpp}}`;
    const findings = await fleetFindings(`${head}deployments: {a: ${one}, b: ${one}}`);
    return findings.filter(({ rule }) => rule === 'duplicate').map(({ message }) => message);
  }
  expect(await told('box')).toEqual(['a and b serve the same model on one machine: each holds all of it.']);
  expect(await told('k')).toEqual([
    'a and b serve the same model in one namespace of a cluster: each holds all of it.',
  ]);
});

test('an engine with models of its own is given none: not by the defaults, and one of its own is a fault', async () => {
  const text = `${head}defaults: {model: m, host: box}
deployments:
  a: {engine: {kind: llama.cpp}}
  b: {engine: {kind: llama-router, modelsDir: /m}}
  c: {engine: {kind: llama-router, modelsDir: /n, modelsMax: 2}}`;
  expect((await fleetDeployments(text)).map(({ name, model }) => [name, model?.path ?? null])).toEqual([
    ['a', '/m/m.gguf'],
    ['b', null],
    ['c', null],
  ]);
  expect((await fleetFindings(text)).map(({ rule }) => rule)).not.toContain('duplicate');
  expect(await faultLines(text.replace('c: {', 'c: {model: m, '))).toEqual([
    '9:7 deployments.c.model: "model" has no meaning here: an engine of kind llama-router has models of its own. Remove it; the options of the engine name its models.',
  ]);
});
