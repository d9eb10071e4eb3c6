import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.close());

function fleet(env: string): void {
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {k: {kubernetes: {context: k, namespace: llm}}, local: {local: true}}
models: {h: {source: "hf://a/b"}}
deployments:
  here: {model: h, host: local, engine: {kind: vllm, env: ${env.includes('secret') ? '{}' : env}}}
  there: {model: h, host: k, engine: {kind: vllm, env: ${env}}}
`);
}

async function render(...names: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.berth('render', ...names);
  expect(code, stderr).toBe(0);
  return stdout;
}

test('a proxy in the env of an engine reaches it wherever it runs, for what it fetches itself', async () => {
  fleet('{HTTPS_PROXY: "http://proxy.lan:3128", NO_PROXY: "10.0.0.0/8,.lan"}');
  const manifests = await render('--format', 'kubernetes', 'there');
  expect(manifests).toContain('name: HTTPS_PROXY\n              value: http://proxy.lan:3128');
  expect(await render('--format', 'kserve', 'there')).toContain('value: http://proxy.lan:3128');
  expect(await render('--format', 'systemd', 'here')).toContain('HTTPS_PROXY="http://proxy.lan:3128"');
  expect(await render('--format', 'quadlet', 'here')).toContain('HTTPS_PROXY=http://proxy.lan:3128');
  expect(await render('--format', 'compose', 'here')).toContain('HTTPS_PROXY=http://proxy.lan:3128');
});

test('a proxy with a password is refused where all could read it, and a Secret of the cluster has it', async () => {
  fleet('{HTTPS_PROXY: "http://me:cnry-password@proxy.lan:3128"}');
  const refused = await place.berth('validate');
  expect(refused.code).toBe(2);
  expect(refused.stdout + refused.stderr).toMatch(/HTTPS_PROXY/);
  expect(refused.stdout + refused.stderr).not.toContain('cnry-password');

  fleet('{HTTPS_PROXY: {secret: {secretRef: {name: proxy, key: url}}}}');
  expect(await render('--format', 'kubernetes', 'there')).toMatch(
    /name: HTTPS_PROXY\n +valueFrom:\n +secretKeyRef:\n +name: proxy\n +key: url/,
  );
});
