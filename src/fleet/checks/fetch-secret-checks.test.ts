import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { fetchSecretFaults } from './fetch-secret-checks.ts';

function faultsOf(secret: string, fetch: string, deployment = 'target: {kind: kubernetes}'): string[] {
  const text = `hosts: {k: {kubernetes: {context: k}}, m: {local: true}}
secrets: {hub: {secretRef: {name: hf, key: HF_TOKEN}}, here: "\${env:HF_TOKEN}", same: {secretRef: {name: same}}}
models: {m: {source: "hf://a/b", ${secret} at: {k: {pvc: c, fetch: {size: 5Gi${fetch}}}}}}
deployments: {d: {model: m, host: k, ${deployment}}, e: {model: m, host: k, ${deployment}}}`;
  const { tree } = readTree('berth.yaml', text);
  if (tree === null) throw new Error('no tree');
  return fetchSecretFaults(tree).map(({ path, message, cure }) => `${path}: ${message} ${cure}`);
}

test.each([
  ['secret: {secretRef: {name: hf, key: HF_TOKEN}},', 'fetch.secret: hf.'],
  ['secret: "${env:HF_TOKEN}",', 'kubectl create secret generic'],
])('a key of the model that its Job is not given is told once: %s', (secret, cure) => {
  const [told, ...others] = faultsOf(secret, '');
  expect(told).toContain('models.m.at.k.fetch: The Job that fetches the model is not given its secret.');
  expect(told).toContain(cure);
  expect(others).toEqual([]);
});

test.each([
  ['hub', 'Write the name of the Secret: hf.'],
  ['here', 'Put the key into a Secret of the cluster'],
])('a secret of the file is no Secret of the cluster: %s', (name, cure) => {
  const [told, ...others] = faultsOf('', `, secret: ${name}`);
  expect(told).toContain(`models.m.at.k.fetch.secret: A Secret of the cluster is named here, and ${name} is`);
  expect(told).toContain(cure);
  expect(others).toEqual([]);
});

test.each([
  ['', ''],
  ['', ', secret: hf'],
  ['', ', secret: same'],
  ['secret: "${env:HF_TOKEN}",', ', secret: hf'],
])('nothing is told where the Job has what it needs: model %j, fetch %j', (secret, fetch) => {
  expect(faultsOf(secret, fetch)).toEqual([]);
});

test('nothing is told where no Job fetches it', () => {
  const secret = 'secret: "${env:HF_TOKEN}",';
  expect(faultsOf(secret, '', 'target: {kind: kserve}')).toEqual([]);
});
