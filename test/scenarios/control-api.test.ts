import { request } from 'node:http';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { RunProgress } from '../../src/domain/run-progress.ts';
import { startGateway } from '../../src/fleet/gateway/gateway-child.ts';
import type { FleetPaths } from '../../src/fleet/file/paths.ts';
import { requestView } from '../../src/fleet/observe/live-requests.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { configFor } from '../gateway/harness.ts';
import type { ControlServer } from '../../src/server/control-server.ts';
import { startTestControl } from '../support/control.ts';
import { exampleReport, exampleSummary } from '../support/example-report.ts';
import { startFakeGateway } from '../support/fake-gateway.ts';
import type { FakeGateway } from '../support/fake-gateway.ts';
import { exampleStatus } from '../support/fleet-status.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function control(...options: Parameters<typeof startTestControl>): Promise<ControlServer> {
  const server = await startTestControl(...options);
  closers.push(server.close);
  return server;
}

async function fakeGateway(): Promise<FakeGateway> {
  const gateway = await startFakeGateway(['assistant']);
  closers.push(gateway.close);
  return gateway;
}

interface Asking {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

function ask(server: ControlServer, path: string, init: Asking = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${server.token}`, ...init.headers },
  });
}

/** fetch does not let a caller choose Host. */
function askAs(server: ControlServer, host: string, path: string, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host, authorization: `Bearer ${server.token}` };
    request({ host: '127.0.0.1', port: server.port, method, path, headers, agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

/** Reads on until the text holds what is wanted. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(wanted)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended without ${wanted}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

function chatOf(server: ControlServer, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({
    model: 'assistant',
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
  });
  return ask(server, '/api/chat', { method: 'POST', body, ...(signal ? { signal } : {}) });
}

test('the API asks for the token on loopback too, however the path is spelled', async () => {
  const server = await control();
  for (const path of [
    '/api/status',
    '/api/events',
    '/api/runs',
    '/api/nothing',
    '/%61pi/status',
    '//api/status',
    '/api/../api/status',
  ]) {
    const reply = await fetch(`${server.url}${path}`);
    expect([401, 404], path).toContain(reply.status);
    expect(await reply.text(), path).not.toContain('lab');
  }
  const wrong = await ask(server, '/api/status', { headers: { authorization: 'Bearer nonsense' } });
  expect(wrong.status).toBe(401);
  expect(await wrong.json()).toEqual({
    error: {
      code: 'CONTROL_TOKEN_REFUSED',
      message: expect.any(String),
      cure: expect.stringContaining('berth console'),
    },
  });
});

test('a request under a foreign host name or from a foreign page is refused even with the token', async () => {
  const server = await control();
  expect(await askAs(server, 'rebound.example', '/api/status')).toBe(403);
  expect(await askAs(server, 'localhost:9999', '/api/status')).toBe(200);
  const foreign = await ask(server, '/api/status', { headers: { origin: 'https://evil.example' } });
  expect(foreign.status).toBe(403);
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});

test('every answer carries the security headers, errors too', async () => {
  const server = await control();
  for (const path of ['/healthz', '/api/status', '/nothing']) {
    const { headers } = await ask(server, path);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test('the state of the fleet is told once on connecting and again only when it changed', async () => {
  let foreign = 0;
  let looks = 0;
  const server = await control({
    status: async () => exampleStatus({ foreign, at: new Date(++looks).toISOString() }),
  });
  const reply = await ask(server, '/api/events');
  expect(reply.headers.get('content-type')).toBe('text/event-stream');
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
  expect(await readUntil(reader, '"foreign":0')).toContain('event: status\ndata: {');
  const before = looks;
  await vi.waitUntil(() => looks > before + 3);
  foreign = 1;
  const text = await readUntil(reader, '"foreign":1');
  expect(text.match(/event: status/g)).toHaveLength(1);
  await reader.cancel();
});

test('nobody looks at the fleet when no page is open', async () => {
  let looks = 0;
  const server = await control({
    status: async () => {
      looks += 1;
      return exampleStatus();
    },
  });
  const abort = new AbortController();
  const reply = await ask(server, '/api/events', { signal: abort.signal });
  await readUntil((reply.body as ReadableStream<Uint8Array>).getReader(), 'event: status');
  abort.abort();
  let seen = -1;
  await expect
    .poll(
      () => {
        const still = seen === looks;
        seen = looks;
        return still;
      },
      { interval: 100, timeout: 60_000 },
    )
    .toBe(true);
});

test('a state that cannot be told is an event with the reason, and the stream goes on', async () => {
  let broken = true;
  const server = await control({
    status: () => (broken ? Promise.reject(new Error('the file is gone')) : Promise.resolve(exampleStatus())),
  });
  const reader = ((await ask(server, '/api/events')).body as ReadableStream<Uint8Array>).getReader();
  expect(await readUntil(reader, 'the file is gone')).toContain('event: status-failed');
  broken = false;
  await readUntil(reader, 'event: status\n');
  await reader.cancel();
});

test('progress of a benchmark reaches the open pages', async () => {
  let tell: ((progress: RunProgress) => void) | undefined;
  const server = await control({
    onProgress: (listener) => {
      tell = listener;
      return () => {};
    },
  });
  const reader = ((await ask(server, '/api/events')).body as ReadableStream<Uint8Array>).getReader();
  await readUntil(reader, 'event: status');
  tell?.({ type: 'run-started', id: 'r1', folder: '/runs/r1', name: 'nightly' });
  tell?.({ type: 'note', text: 'half way' });
  expect(await readUntil(reader, 'half way')).toContain('event: progress\ndata: {"type":"note"');
  // Who comes in the middle is told how it came to this.
  const late = ((await ask(server, '/api/events')).body as ReadableStream<Uint8Array>).getReader();
  expect(await readUntil(late, 'half way')).toContain('nightly');
  await late.cancel();
  await reader.cancel();
});

test('a chat goes to the gateway under a key of its own, and tokens come back as they are made', async () => {
  const gateway = await fakeGateway();
  const server = await control({
    gateway: () => ({ url: gateway.url, key: 'console-key', keyNeeded: true }),
  });
  const asked = chatOf(server);
  const chat = await vi.waitUntil(() => gateway.chats[0]);
  expect(chat.authorization).toBe('Bearer console-key');
  expect(chat.body.messages).toEqual([{ role: 'user', content: 'Hi' }]);
  chat.token('Hel');
  const reader = ((await asked).body as ReadableStream<Uint8Array>).getReader();
  await readUntil(reader, 'Hel');
  chat.token('lo');
  await readUntil(reader, '"lo"');
  chat.finish();
  expect(await readUntil(reader, '[DONE]')).toContain('data: [DONE]\n\n');
  expect((await reader.read()).done).toBe(true);
});

test('a page that leaves ends its chat at the gateway, while it waits and in the middle of a stream', async () => {
  const gateway = await fakeGateway();
  const server = await control({ gateway: () => ({ url: gateway.url, key: 'own', keyNeeded: false }) });
  for (const tokens of [0, 1]) {
    const abort = new AbortController();
    const asked = chatOf(server, abort.signal);
    asked.catch(() => {});
    const chat = await vi.waitUntil(() => gateway.chats[tokens]);
    if (tokens > 0) {
      chat.token('Hel');
      await readUntil(((await asked).body as ReadableStream<Uint8Array>).getReader(), 'Hel');
    }
    abort.abort();
    await expect.poll(() => chat.left.aborted).toBe(true);
  }
});

test('an error of the gateway reaches the page as it is', async () => {
  const gateway = await fakeGateway();
  gateway.onChat = (chat) =>
    chat.fail(404, { message: 'no such model', type: 'invalid_request_error', code: 'model_not_found' });
  const server = await control({ gateway: () => ({ url: gateway.url, key: 'own', keyNeeded: false }) });
  const reply = await chatOf(server);
  expect(reply.status).toBe(404);
  expect(await reply.json()).toMatchObject({ error: { message: 'no such model' } });
});

test('a stream that breaks at the gateway breaks for the page too, and does not look finished', async () => {
  const gateway = await fakeGateway();
  gateway.onChat = (chat) => {
    chat.token('Hel');
    setImmediate(chat.cut);
  };
  const server = await control({ gateway: () => ({ url: gateway.url, key: 'own', keyNeeded: false }) });
  await expect(chatOf(server).then((reply) => reply.text())).rejects.toThrow('terminated');
});

test('a gateway that is absent or gone is said with its cure', async () => {
  const gateway = await startFakeGateway([]);
  await gateway.close();
  const none = await chatOf(await control());
  expect([none.status, await none.json()]).toMatchObject([503, { error: { code: 'GATEWAY_ABSENT' } }]);
  const gone = await chatOf(
    await control({ gateway: () => ({ url: gateway.url, key: 'own', keyNeeded: false }) }),
  );
  expect([gone.status, await gone.json()]).toMatchObject([
    502,
    { error: { code: 'GATEWAY_UNREACHABLE', cure: expect.any(String) } },
  ]);
});

test('the models are those of the gateway', async () => {
  const gateway = await fakeGateway();
  const server = await control({ gateway: () => ({ url: gateway.url, key: 'own', keyNeeded: false }) });
  expect(await (await ask(server, '/api/models')).json()).toMatchObject({ data: [{ id: 'assistant' }] });
});

test('runs, reports and logs are passed on, and what is unknown is a 404', async () => {
  const report = exampleReport();
  const summary = exampleSummary(report);
  const server = await control({
    runs: async () => [summary],
    report: async (id) => (id === report.id ? report : null),
    logs: async (deployment, lines) => (deployment === 'assistant' ? [`last ${lines}`] : null),
  });
  expect(await (await ask(server, '/api/runs')).json()).toEqual({ runs: [summary] });
  expect(await (await ask(server, `/api/runs/${report.id}`)).json()).toEqual(report);
  expect((await ask(server, '/api/runs/r2')).status).toBe(404);
  expect(await (await ask(server, '/api/logs/assistant?lines=7')).json()).toEqual({ lines: ['last 7'] });
  expect((await ask(server, '/api/logs/other')).status).toBe(404);
});

test('a report opens in a tab by a link of its own, in a sandbox that cannot reach the token', async () => {
  const server = await control({ reportHtml: async (id) => (id === 'r1' ? '<!doctype html>report' : null) });
  expect((await ask(server, '/api/runs/r2/report-link', { method: 'POST' })).status).toBe(404);
  const { path } = (await (await ask(server, '/api/runs/r1/report-link', { method: 'POST' })).json()) as {
    path: string;
  };
  const page = await fetch(`${server.url}${path}`);
  expect(await page.text()).toContain('report');
  expect(page.headers.get('content-security-policy')).toMatch(/sandbox allow-scripts(?!.*allow-same-origin)/);
  expect((await fetch(`${server.url}/report/guessed`)).status).toBe(404);
});

test('only files of the built console are served, and no path leaves its folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-console-'));
  closers.push(() => rm(folder, { recursive: true }));
  const assetsDir = join(folder, 'console');
  await mkdir(join(assetsDir, 'assets'), { recursive: true });
  await writeFile(join(assetsDir, 'index.html'), '<!doctype html>page');
  await writeFile(join(assetsDir, 'assets/app-1a2b.js'), 'export {};');
  await writeFile(join(folder, 'secret.json'), '{"secret":true}');
  const server = await control({}, { assetsDir });
  const page = await fetch(`${server.url}/`);
  expect([page.headers.get('content-type'), await page.text()]).toEqual([
    'text/html; charset=utf-8',
    '<!doctype html>page',
  ]);
  const script = await fetch(`${server.url}/assets/app-1a2b.js`);
  expect(script.headers.get('cache-control')).toContain('immutable');
  for (const path of ['/%2e%2e/secret.json', '/..%2fsecret.json', '/assets/..%2f..%2fsecret.json'])
    expect(await askAs(server, '127.0.0.1', path), path).toBe(404);
});

test('without a built console its page says how to build it, and the API serves', async () => {
  const server = await control();
  const page = await fetch(`${server.url}/`);
  expect([page.status, await page.json()]).toMatchObject([
    503,
    { error: { cure: expect.stringContaining('npm run build') } },
  ]);
  expect((await ask(server, '/api/status')).status).toBe(200);
});

test('a request or a capture that is not there is a 404 with a code of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-control-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const paths = {
    gatewayConfig: join(folder, 'gateway.json'),
    gatewayLog: join(folder, 'gateway.log'),
    logs: folder,
  } as FleetPaths;
  const gateway = await startGateway(localWorld(), paths, configFor([]), () => {});
  closers.push(gateway.stop);
  const server = await control({ requests: requestView(() => gateway) });
  for (const [method, path] of [
    ['DELETE', '/api/requests/none'],
    ['GET', '/api/captures/none'],
  ] as const) {
    const reply = await ask(server, path, { method });
    expect([reply.status, await reply.json()]).toMatchObject([
      404,
      { error: { code: 'REQUEST_UNKNOWN', message: expect.stringContaining('"none"') } },
    ]);
  }
});

test('a request that is no path is refused, and the server goes on', async () => {
  const server = await control();
  expect(await askAs(server, '127.0.0.1', 'http://other.example/api/status')).toBe(400);
  expect(await askAs(server, '127.0.0.1', '/api/status', 'TRACE')).toBe(400);
  expect((await ask(server, '/healthz')).status).toBe(200);
});

test('a body that is not what is wanted is told apart from one that is too large', async () => {
  const server = await control();
  function send(body: string): Promise<Response> {
    return ask(server, '/api/keys', { method: 'POST', body });
  }
  expect((await send('not JSON')).status).toBe(400);
  const large = await send(`"${'a'.repeat(70_000)}"`);
  expect([large.status, await large.json()]).toMatchObject([
    413,
    { error: { code: 'CONTROL_BODY_TOO_LARGE' } },
  ]);
});

test('closing ends the open event streams', async () => {
  const server = await startTestControl();
  const reply = await ask(server, '/api/events');
  const ended = reply.text();
  await server.close();
  expect(await ended).toContain(': connected');
});
