import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTokenizer } from '../../../src/bench/tokenizer.ts';
import type { Report } from '../../../src/domain/run/report.ts';
import { localWorld } from '../../../src/io/local-world.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

const key = 'sk-of-the-strict-server';
const knownFields = ['model', 'messages', 'max_tokens', 'stream', 'stream_options'];

let place: Place;
let server: http.Server;
let seen: Record<string, unknown>[];
beforeEach(() => {
  place = makePlace();
  seen = [];
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await place.close();
});

async function serve(
  answer: (path: string, body: Record<string, unknown>) => [number, unknown],
): Promise<string> {
  server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const allowed = request.headers.authorization === `Bearer ${key}`;
      const [status, value] = allowed
        ? answer(request.url ?? '', body)
        : [401, { error: { message: 'no key' } }];
      const streamed = typeof value === 'string';
      response.writeHead(status, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
      response.end(streamed ? value : JSON.stringify(value));
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A cloud's API: wants a key, refuses fields that it does not know, has no /tokenize and no /metrics. */
function strict(path: string, body: Record<string, unknown>): [number, unknown] {
  if (path === '/v1/models') return [200, { data: [{ id: 'cloud-model' }] }];
  if (path !== '/v1/chat/completions') return [404, { error: { message: 'not here' } }];
  const unknown = Object.keys(body).find((field) => !knownFields.includes(field));
  if (unknown !== undefined) return [400, { error: { message: `Unknown field ${unknown}` } }];
  seen.push(body);
  const [message] = body['messages'] as { content: string }[];
  const usage = { prompt_tokens: (message?.content.split(' ').length ?? 0) + 9, completion_tokens: 2 };
  if (!body['stream'])
    return [200, { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }], usage }];
  const chunks = [
    { choices: [{ delta: { content: 'a' } }] },
    { choices: [{ delta: { content: 'b' }, finish_reason: 'stop' }] },
  ];
  return [
    200,
    [...chunks, { choices: [], usage }].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''),
  ];
}

test('a strict server without extras is measured all the same, and the report says what is not exact', async () => {
  const url = await serve(strict);
  place.env['CLOUD_KEY'] = key;
  const load = ['--max-requests', '3', '--prompt-tokens', '40', '--output-tokens', '8', '--no-calibrate'];
  const done = await place.berth('bench', url, '--key-env', 'CLOUD_KEY', ...load, '--json');
  expect([0, 5], done.stderr).toContain(done.code);
  const { report } = (done.json() as { runs: { report: Report }[] }).runs[0] as { report: Report };
  expect(report.server).toMatchObject({ model: 'cloud-model', tokenizer: null });
  const notes = report.server.notes.join('\n');
  expect(notes).toContain('estimated');
  expect(notes).toContain('refuses ignore_eos');
  expect(notes).toContain('refuses cache_prompt');
  // Estimated from the server's own counts of two prompts, and here that is exact.
  expect(report.stages[0]?.promptTokens).toMatchObject({ min: 40, max: 40, sources: ['usage'] });
  expect(report.stages[0]?.outputTokens).toMatchObject({ min: 2, max: 2, offTarget: 3 });
  expect(report.stages[0]?.engine).toBeNull();
  expect(done.stdout + done.stderr).not.toContain(key);
});

test('a server that refuses the key ends the command with code 6', async () => {
  const url = await serve(strict);
  const done = await place.berth('bench', url, '--json');
  expect(done.code).toBe(6);
  expect(done.stdout).toContain('401');
});

test('a variable that is not set is named before anything is sent', async () => {
  const url = await serve(strict);
  const done = await place.berth('bench', url, '--key-env', 'NOT_SET_ANYWHERE');
  expect(done.code).not.toBe(0);
  expect(done.stderr).toContain('NOT_SET_ANYWHERE');
  expect(seen).toEqual([]);
});

test.each([
  ['llama-server', 'content'],
  ['vLLM', 'prompt'],
])('the tokenizer of %s is found by the shape that it answers', async (name, field) => {
  const url = await serve((path, body) => {
    const text = body[field];
    if (path !== '/tokenize' || typeof text !== 'string') return [400, { detail: 'wrong shape' }];
    return [200, { tokens: text.split(' ') }];
  });
  const tokenizer = await findTokenizer(localWorld(), url, 'm', key);
  expect(tokenizer?.name).toContain(name);
  expect(await tokenizer?.count('one two three four')).toBe(4);
});
