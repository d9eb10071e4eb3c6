import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import { makePlace } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

const server = join(import.meta.dirname, '../support/fake-llama-server.mjs');

test('what may be asked of an engine as it is, and whose limits hold there, goes by its kind', async () => {
  const place = makePlace();
  const upstream = await startFakeUpstream(wellBehaved);
  onTestFinished(async () => {
    await place.berth('down');
    await place.close();
    await upstream.stop();
  });
  place.write(`#!/bin/sh\nexec '${process.execPath}' '${server}' "$@"\n`, 'llama-server');
  chmodSync(join(place.folder, 'llama-server'), 0o755);
  place.write('', 'm.gguf');
  place.write('guest-key', 'guest');
  place.write(`version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
gateway:
  listen: ["127.0.0.1:0"]
  keys: {guest: ${JSON.stringify(`\${file:${join(place.folder, 'guest')}}`)}}
console: {listen: "127.0.0.1:0"}
models: {m: {source: ./m.gguf}}
deployments:
  near: {model: m, engine: {kind: llama.cpp, binary: ${JSON.stringify(join(place.folder, 'llama-server'))}}}
  far: {engine: {kind: openai, url: "${upstream.url}/v1", servedModel: far-1}}
`);
  const started = await place.berth('up', '--detach', '--json');
  expect(started.code, started.stderr).toBe(0);
  const { url } = (started.json() as { gateway: { url: string } }).gateway;
  async function statuses(asks: Record<string, string>): Promise<Record<string, number>> {
    const headers = { authorization: 'Bearer guest-key', 'content-type': 'application/json' };
    const replies = Object.entries(asks).map(async ([path, model]): Promise<[string, number]> => {
      const body = JSON.stringify({ model, messages: [] });
      const reply = await fetch(`${url}/upstream/${path}`, { method: 'POST', headers, body });
      await reply.text();
      return [path, reply.status];
    });
    return Object.fromEntries(await Promise.all(replies));
  }
  expect(
    await statuses({
      'near/completion': 'any',
      'near/v1/chat/completions': 'near',
      'near/generate': 'near',
      'near/predict': 'near',
      'far/generate': 'far-1',
      'far/v1/chat/completions': 'far',
      'far/v1/completions': 'dear-9',
      'far/predict': 'far-1',
    }),
  ).toEqual({
    'near/completion': 200,
    'near/v1/chat/completions': 200,
    'near/generate': 403,
    'near/predict': 403,
    'far/generate': 200,
    'far/v1/chat/completions': 200,
    'far/v1/completions': 403,
    'far/predict': 403,
  });
});
