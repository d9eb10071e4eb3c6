import { expect, test } from 'vitest';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { runtimeFindings } from './named-runtime.ts';

const group = '/apis/serving.kserve.io/v1alpha1';
const ofNamespace = `GET ${group}/namespaces/llm/servingruntimes/theirs`;
const ofCluster = `GET ${group}/clusterservingruntimes/theirs`;
const forbidden = [403, { message: 'it is forbidden: User "bob" cannot get', reason: 'Forbidden' }] as const;

type Answer = readonly [number, unknown];

function runtime(spec: object): Answer {
  return [200, { metadata: { name: 'theirs', uid: 'r' }, spec }];
}

const fitting = runtime({ supportedModelFormats: [{ name: 'gguf' }, { name: 'vLLM' }] });

async function told(answers: Readonly<Record<string, Answer>>): Promise<string[]> {
  const { place } = await servedCluster(({ key }) => answers[key]);
  const found = await runtimeFindings(place, 'big', { runtime: { use: 'theirs' }, format: 'vLLM' });
  return found.map(({ severity, object, message }) => `${severity} ${object}: ${message}`);
}

test('a runtime that is only named and is nowhere is told', async () => {
  expect(await told({})).toEqual([
    'critical big: There is neither a ServingRuntime theirs in namespace llm nor a ClusterServingRuntime of that name: KServe would run no pods.',
  ]);
});

test('one of the namespace or of the cluster is found, and that of the namespace comes first', async () => {
  expect(await told({ [ofNamespace]: fitting })).toEqual([]);
  expect(await told({ [ofCluster]: fitting })).toEqual([]);
  expect(await told({ [ofNamespace]: fitting, [ofCluster]: runtime({ disabled: true }) })).toEqual([]);
});

test('one that is disabled or runs no models of the format is told', async () => {
  expect(await told({ [ofCluster]: runtime({ disabled: true }) })).toEqual([
    'critical big: The ClusterServingRuntime theirs is disabled: KServe would run no pods by it.',
  ]);
  expect(await told({ [ofNamespace]: runtime({ supportedModelFormats: [{ name: 'onnx' }] }) })).toEqual([
    'critical big: The ServingRuntime theirs does not run models of format vLLM (it names onnx): KServe would run no pods by it.',
  ]);
});

test('who may not look is told nothing', async () => {
  expect(await told({ [ofNamespace]: forbidden, [ofCluster]: forbidden })).toEqual([]);
  expect(await told({ [ofCluster]: forbidden })).toEqual([]);
});

test('a runtime that berth makes is not looked for', async () => {
  const { place, asked } = await servedCluster(() => undefined);
  expect(await runtimeFindings(place, 'big', { runtime: { create: 'own' }, format: 'vLLM' })).toEqual([]);
  expect(asked).toEqual([]);
});
