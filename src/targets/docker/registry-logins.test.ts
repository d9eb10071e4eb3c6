import { expect, test } from 'vitest';
import { authHeader, helperOf, loginIn, loginOf, registryOf } from './registry-logins.ts';

function packed(user: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') };
}

test.each([
  ['vllm/vllm-openai:v1', 'docker.io', 'vllm/vllm-openai'],
  ['busybox', 'docker.io', 'busybox'],
  ['index.docker.io/a/b', 'docker.io', 'a/b'],
  ['ghcr.io/ggml-org/llama.cpp:server', 'ghcr.io', 'ggml-org/llama.cpp'],
  ['localhost/a:1', 'localhost', 'a'],
  ['127.0.0.1:5000/a/b:1@sha256:00', '127.0.0.1:5000', 'a/b'],
])('%s is of %s', (image, registry, name) => {
  expect(registryOf(image)).toEqual({ registry, name });
});

test('a login is taken from the entry of the registry, however its name is written', () => {
  const login = { username: 'u', password: 'p:w' };
  for (const key of ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io'])
    expect(loginIn({ auths: { [key]: packed('u', 'p:w') } }, 'vllm/vllm-openai:v1')).toEqual(login);
  expect(loginIn({ auths: { 'https://quay.io/v2/': packed('u', 'p:w') } }, 'quay.io/a/b')).toEqual(login);
  expect(loginIn({ auths: { 'quay.io.evil.org': packed('u', 'p') } }, 'quay.io/a/b')).toBeNull();
  expect(loginIn({ auths: { 'quay.io': {} } }, 'quay.io/a/b')).toBeNull();
  expect(loginIn({ auths: { 'quay.io': { identitytoken: 't' } } }, 'quay.io/a/b')).toEqual({
    identitytoken: 't',
  });
});

test('of several entries that of the longest part of the name counts', () => {
  const auths = { 'quay.io': packed('all', 'p'), 'quay.io/a': packed('team', 'p') };
  expect(loginIn({ auths }, 'quay.io/a/b:1')?.username).toBe('team');
  expect(loginIn({ auths }, 'quay.io/ab/c')?.username).toBe('all');
});

test('a program is asked where the file names one for the registry, or for all', () => {
  const file = { credHelpers: { 'quay.io': 'one', 'https://index.docker.io/v1/': 'hub' }, credsStore: 'all' };
  expect(['quay.io', 'docker.io', 'ghcr.io'].map((one) => helperOf(file, one))).toEqual([
    'one',
    'hub',
    'all',
  ]);
  expect(helperOf({ credsStore: '' }, 'quay.io')).toBeNull();
  expect(loginOf({ Username: '<token>', Secret: 't' })).toEqual({ identitytoken: 't' });
});

test('the header is in the alphabet of URLs with its padding', () => {
  const header = authHeader({ username: 'ü', password: '>>>???' }, 'docker.io');
  expect(header).toMatch(/^[\w-]+=*$/);
  expect(header.length % 4).toBe(0);
  expect(JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))).toEqual({
    username: 'ü',
    password: '>>>???',
    serveraddress: 'https://index.docker.io/v1/',
  });
});
