import { beforeAll, afterAll, expect, test } from 'vitest';
import { endpoints } from '../../src/domain/endpoints.ts';
import type { Endpoint } from '../../src/domain/endpoints.ts';
import { ownPaths } from '../../src/gateway/front/endpoints.ts';
import { startFakeUpstream } from './fake-upstream.ts';
import type { FakeUpstream } from './fake-upstream.ts';
import { configFor, dial, runGateway } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Each endpoint has two deployments whose engines have nothing else; no other engine has it. */
const kinds = [...new Set(endpoints.map(({ same }) => same[0] ?? ''))];
const names = new Map(kinds.map((path, i) => [path, [`d${i}a`, `d${i}b`]] as const));

let upstream: FakeUpstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startFakeUpstream((turn) => turn.json(200, { answered: true }));
  const upstreams = [...names].flatMap(([path, deployments]) =>
    deployments.map((deployment) => ({ id: deployment, deployment, url: upstream.url, paths: [path] })),
  );
  const routes = upstreams.map(({ deployment }) => ({
    name: deployment,
    to: [{ deployment, weight: 1 }],
    aliasOf: null,
  }));
  gateway = await runGateway(configFor(upstreams, { routes }));
});

afterAll(async () => {
  await gateway.close();
  await upstream.stop();
});

function ask({ path, body }: Endpoint, model: string): Promise<Response> {
  const form = new FormData();
  form.set('model', model);
  return fetch(gateway.url + path, {
    method: 'POST',
    ...(body === 'form'
      ? { body: form }
      : { body: JSON.stringify({ model }), headers: { 'content-type': 'application/json' } }),
  });
}

test.each(endpoints)('$path is answered by an engine that has it, and by no other', async (endpoint) => {
  const { path, same, dialect } = endpoint;
  const having = names.get(same[0] ?? '') ?? [];
  const lacking = names.get(kinds.find((kind) => kind !== same[0]) ?? '')?.[0] ?? '';
  upstream.seen.length = 0;
  for (const model of having) expect((await ask(endpoint, model)).status).toBe(200);
  expect(upstream.seen.map((seen) => seen.path)).toEqual([same[0], same[0]]);
  const refused = await ask(endpoint, lacking);
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([501, 'false']);
  const message = `The engine behind "${lacking}" has no ${path}. Deployments that have it: ${having.join(', ')}.`;
  expect(await refused.json()).toMatchObject(
    dialect === 'anthropic'
      ? { type: 'error', error: { type: 'api_error', message } }
      : { error: { type: 'invalid_request_error', code: 'endpoint_not_supported', param: null, message } },
  );
  expect(upstream.seen.length).toBe(2);
});

test('the models of all deployments are listed, whatever endpoints their engines have', async () => {
  const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id).toSorted()).toEqual([...names.values()].flat().toSorted());
});

const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

test.each([
  ...endpoints.map(({ path }) => path),
  ...ownPaths,
  '/v1/realtime?model=d0a',
  '/v1/responses/resp_1',
  '/upstream/d0a/v1/realtime',
  '/running',
  '/',
  '/no/such/path',
])('a WebSocket at %s is refused with the reason, and reaches no engine', async (path) => {
  upstream.seen.length = 0;
  const wire = await dial(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${webSocket}\r\n`);
  await wire.closed;
  const [head = '', body = ''] = wire.text().split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 501 .*x-should-retry: false/is);
  const message = 'WebSockets are not served here. Send a plain HTTP request; "stream": true gives events.';
  expect(JSON.parse(body)).toMatchObject({ error: { message } });
  expect(upstream.seen).toEqual([]);
});
