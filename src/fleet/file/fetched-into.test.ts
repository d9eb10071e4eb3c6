import { expect, test } from 'vitest';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { localWorld } from '../../io/local-world.ts';
import { loadFleet } from './load.ts';

/** What is fetched for each deployment of a cluster, with the path where its projector lies. */
async function fetchedFor(
  model: string,
  deployments: string,
): Promise<readonly (readonly [LaunchSpec['fetched'], string | null])[]> {
  const text = `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k3s}}, l: {kubernetes: {context: other}}}
gateway: {host: k, image: "e/berth:1", allowAnonymous: true}
models: {m: ${model}, n: {source: "hf://c/d/n.gguf", at: {k: {pvc: weights, path: n.gguf}, l: {pvc: weights, path: n.gguf}}}}
deployments: ${deployments}`;
  const world = localWorld();
  const files = {
    ...world.files,
    read: async (path: string) => (path === '/fleet/berth.yaml' ? text : null),
    stat: async () => ({ size: text.length, isFile: true, mtimeMs: 0, id: '1:1' }),
  };
  const loaded = await loadFleet(
    { ...world, env: {}, files },
    { files: ['/fleet/berth.yaml'], cwd: '/fleet' },
  );
  return loaded.deployments.map((one) => [one.model?.fetched, one.model?.mmproj ?? null] as const);
}

function modelWith(mmproj: string, path = 'orca/m.gguf'): string {
  return `{source: "hf://a/b:Q8_0", mmproj: "${mmproj}", at: {k: {pvc: weights, path: ${path}, fetch: {size: 5Gi}}}}`;
}

const engine = 'engine: {kind: llama.cpp}';
const one = `{a: {model: m, host: k, ${engine}}}`;

test('a projector with an address is fetched beside its model, and opened there', async () => {
  const [found] = await fetchedFor(modelWith('https://store.lab/p/mmproj-F16.gguf?v=a/b'), one);
  expect(found?.[0]).toMatchObject({
    from: 'hf://a/b:Q8_0',
    also: [{ from: 'https://store.lab/p/mmproj-F16.gguf?v=a/b', path: 'orca/mmproj-F16.gguf' }],
  });
  expect(found?.[1]).toBe('pvc://weights/orca/mmproj-F16.gguf');
  const [beside] = await fetchedFor(modelWith('hf://a/b/mmproj.gguf', 'm.gguf'), one);
  expect([beside?.[0]?.also, beside?.[1]]).toEqual([
    [{ from: 'hf://a/b/mmproj.gguf', path: 'mmproj.gguf' }],
    'pvc://weights/mmproj.gguf',
  ]);
});

test('a projector that is a path lies in the claim already', async () => {
  const [found] = await fetchedFor(modelWith('/srv/mmproj.gguf'), one);
  expect([found?.[0]?.also, found?.[1]]).toEqual([undefined, 'pvc://weights/mmproj.gguf']);
});

test('what fills a claim has the pull secrets of all deployments that use it there', async () => {
  function of(name: string, model: string, host: string, secret: string): string {
    return `${name}: {model: ${model}, host: ${host}, port: 8080, ${engine}, target: {kind: kubernetes, pullSecrets: [${secret}]}}`;
  }
  const [first, second] = await fetchedFor(
    modelWith('/srv/mmproj.gguf'),
    `{${of('a', 'm', 'k', 'two, one')}, ${of('b', 'n', 'k', 'three')}, ${of('c', 'n', 'l', 'four')}}`,
  );
  expect(first?.[0]?.pullSecrets).toEqual(['one', 'three', 'two']);
  expect(second?.[0]).toBeUndefined();
});
