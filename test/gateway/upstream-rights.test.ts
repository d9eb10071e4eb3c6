import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { configFor, dial, engine, front, sha256, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';
import type { FakeUpstream, Turn } from './fake-upstream.ts';

const keys = [{ id: 'guest' }, { id: 'operator', control: true }].map((key) => ({
  ...key,
  name: key.id,
  sha256: sha256(key.id),
}));

/** The model "m" by an engine of berth's, and "far" by a server elsewhere; requests want a key where `keyed`. */
async function place(keyed: boolean): Promise<{ gateway: RunningGateway; upstream: FakeUpstream }> {
  const upstream = await engine((turn) => turn.json(200, { path: turn.request.path }));
  const keyFile = join(tmpdir(), `berth-lent-${process.pid}`);
  await writeFile(keyFile, 'lent');
  onTestFinished(() => rm(keyFile, { force: true }));
  const gateway = await front(
    configFor([{ url: upstream.url }, { url: upstream.url, deployment: 'far', keyFile, lentKey: true }], {
      anonymous: !keyed,
      keys,
      routes: [
        { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
        { name: 'far', to: [{ deployment: 'far', weight: 1 }], aliasOf: null },
        {
          name: 'falls',
          to: [{ deployment: 'd', weight: 1 }],
          aliasOf: null,
          fallback: { on: ['unreachable'], to: ['far'] },
        },
      ],
    }),
  );
  return { gateway, upstream };
}

async function statuses(
  gateway: RunningGateway,
  key: string | null,
  asks: readonly string[],
): Promise<number[]> {
  const replies = asks.map((ask) => {
    const [method = '', path = ''] = ask.split(' ');
    const headers = key === null ? {} : { authorization: `Bearer ${key}` };
    return fetch(`${gateway.url}/upstream/${path}`, { method, headers });
  });
  return (await Promise.all(replies)).map(({ status }) => status);
}

const changes = [
  'POST m/slots/0?action=erase',
  'POST m/lora-adapters',
  'POST m/props',
  'POST m/models/load',
  'POST m/sleep?level=1',
  'POST m/v1/load_lora_adapter',
  'POST m/v1/completions/',
  'POST m//v1/completions',
  'DELETE m/api/delete',
  'PUT m/v1/completions',
  // What others ask, keys, and changes by a GET, however it is written.
  'GET m/slots',
  'GET m/%73lots',
  'GET m//Flush_Cache;x',
  'GET m/x%2fflush_cache',
  'GET m/unload',
  'GET m/logs/stream/x.html',
  'GET m/api/events',
  'GET m/api/captures/1',
  'GET m/api/captures/1.js',
  'GET m/upstream/x/y.js',
  'GET m/a%2fapi%2fb.js',
  'GET m/slots%00.js',
  'GET m/slots;a.js',
  'GET m/v1/streams',
  'GET m/v1/stream/some.css',
  'GET m/cors-proxy?url=http://x/',
  'GET m/get_server_info',
  'GET m/server_info',
  'GET m/terminate',
  'GET m/no-path-that-is-known',
  'HEAD m/unload',
  'OPTIONS m/unload',
  // Ollama loads and unloads by these, by "keep_alive" and whatever model the body names.
  'POST m/api/generate',
  'POST m/api/chat',
  'POST m/api/embed',
  'POST m/api/embeddings',
  // Beside what computes.
  'PUT m/tokenize',
  'POST m/v3/chat/completions/control',
  'POST m/v3/models/load',
  'POST m/v2/repository/models/x/load',
  // What a llama-server does by it, the body says.
  'POST m/predict',
  'POST m/v2/models/x%2fy/infer',
  'POST m/v1/models/x:load',
  'POST m/api/extra/abort',
  // Requests of others.
  'DELETE m/v1/stream/1',
  'POST m/v1/streams/lookup',
  'POST m/v1/chat/completions/control',
];
const harmless = [
  'GET m/',
  'GET m/props',
  'HEAD m/health',
  'OPTIONS m/props',
  ...[
    'metrics version load info lora-adapters health_generate v1/model get_model_info v1/models',
    'v1/models/org/name v1/models/org%2Fname openai/v1/models v3/models api/tags api/ps',
    'api/v0/models v2/health/ready v2/models/x/config index.html _app/chunks/a.B-1_x.js',
    'bundle.css?v=1 favicon.ico site.webmanifest fonts/a.woff2 bundle.js.map manifest.json',
    'openapi.json docs ui/',
  ].flatMap((paths) => paths.split(' ').map((path) => `GET m/${path}`)),
  'POST m/v1/chat/completions',
  'POST m/completion',
  'PUT m/generate',
  'PUT m/encode',
  'PUT m/classify',
  ...[
    'audio/transcriptions chat/completions/input_tokens v1/chat/completions/input_tokens',
    'responses/input_tokens v1/responses/input_tokens decode vertex chat_tokenize generate_stream',
    'v1/token/encode v1/token/decode v1/internal/encode v1/internal/decode v1/internal/token-count',
    'v1/internal/logits generate_from_file parse_function_call separate_reasoning vertex_generate',
    'api/v0/chat/completions api/v0/completions api/v0/embeddings v3/chat/completions v3/rerank',
    'v3/v1/embeddings openai/v1/completions v2/models/m/infer v2/models/m/versions/1/generate',
    'v2/models/m/generate_stream v1/models/m:predict v1/chat/completions/render v2/embed',
    'api/v1/generate api/show',
  ].flatMap((paths) => paths.split(' ').map((path) => `POST m/${path}`)),
  'POST m/',
];

test('/upstream changes an engine for keys of control alone, and computes and reads for every key', async () => {
  const { gateway, upstream } = await place(true);
  expect(await statuses(gateway, 'guest', changes)).toEqual(changes.map(() => 403));
  expect(await statuses(gateway, null, changes)).toEqual(changes.map(() => 401));
  expect(upstream.seen).toEqual([]);
  expect(await statuses(gateway, 'guest', harmless)).toEqual(harmless.map(() => 200));
  expect(await statuses(gateway, 'operator', [...changes, ...harmless])).toEqual(
    [...changes, ...harmless].map(() => 200),
  );
});

test('of an engine whose kind is known, what it computes by is for every key, and what others compute by is not', async () => {
  const upstream = await engine((turn) => turn.json(200, {}));
  const gateway = await front(
    configFor([{ url: upstream.url, asItIs: { computing: ['/completion'], oneModel: true } }], { keys }),
  );
  const asks = [
    'POST m/completion',
    'POST m/v1/completions',
    'POST m/generate',
    'PUT m/generate',
    'POST m/predict',
  ];
  expect(await statuses(gateway, 'guest', asks)).toEqual([200, 200, 403, 403, 403]);
  expect(await statuses(gateway, 'operator', asks)).toEqual(asks.map(() => 200));
});

// Servers end a path at "#", and some read "%u0073" as "s", so that they would see another path than the one that was judged.
test.each(['slots#x', '#/../slots', '..#', 'v1/models?a#b', '%u0073lots', 'slots%', 'slots%7', 'sl%zzots'])(
  'what servers read in different ways is refused below /upstream: "%s"',
  async (target) => {
    const { gateway, upstream } = await place(true);
    const head = `GET /upstream/m/${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\nConnection: close\r\n\r\n`;
    const wire = await dial(gateway.port, head);
    await wire.closed;
    expect(wire.text()).toMatch(/^HTTP\/1\.1 400 .*"code":"path_invalid"/s);
    expect(upstream.seen).toEqual([]);
  },
);

test('a query reaches the engine as it came, whatever its percent signs', async () => {
  const { gateway, upstream } = await place(true);
  expect(await statuses(gateway, 'guest', ['GET m/props?share=100%&to=%u0073'])).toEqual([200]);
  expect(upstream.seen.map(({ path }) => path)).toEqual(['/props?share=100%&to=%u0073']);
});

test('a key that a client put into the query reaches no engine', async () => {
  const { gateway, upstream } = await place(true);
  const asks = [
    'POST m/v1/completions?a=1&api_key=guest&b=%20',
    'GET m/props?API%5FKEY=other',
    'GET m/props?who=guest&access_token=x&guest=1',
  ];
  expect(await statuses(gateway, 'guest', asks)).toEqual([200, 200, 200]);
  const headers = { authorization: 'Bearer guest', 'content-type': 'application/json' };
  const body = JSON.stringify({ model: 'm', messages: [] });
  await fetch(`${gateway.url}/v1/chat/completions?api-key=x&beta=true`, { method: 'POST', headers, body });
  expect(upstream.seen.map(({ path }) => path).toSorted()).toEqual([
    '/props',
    '/props?guest=1',
    '/v1/chat/completions?beta=true',
    '/v1/completions?a=1&b=%20',
  ]);
});

test('a key for one of the names of an endpoint may use all of them by /upstream too', async () => {
  const upstream = await engine((turn) => turn.json(200, {}));
  const gateway = await front(
    configFor([{ url: upstream.url }], {
      keys: [{ id: 'guest', name: 'guest', sha256: sha256('guest'), endpoints: ['/rerank'] }],
    }),
  );
  expect(
    await statuses(gateway, 'guest', ['POST m/rerank', 'POST m/v1/rerank', 'POST m/v1/score', 'GET m/']),
  ).toEqual([200, 200, 403, 403]);
});

test('where requests want no key, an engine is as open by /upstream as by its own port', async () => {
  const { gateway } = await place(false);
  expect(await statuses(gateway, null, [...changes, ...harmless])).toEqual(
    [...changes, ...harmless].map(() => 200),
  );
});

test.each([true, false])(
  'the account at a server elsewhere is for keys of control alone (keys wanted: %s)',
  async (keyed) => {
    const { gateway, upstream } = await place(keyed);
    const account = [
      'GET far/v1/files',
      'DELETE far/v1/files/1',
      'POST far/v1/fine_tuning/jobs',
      'GET falls/v1/files',
      // Harmless at an engine of berth's alone.
      'GET far/info',
      'GET far/report.html',
    ];
    const models = ['GET far/v1/models', 'GET far/v1/models/large', 'POST far/v1/embeddings', 'GET far/'];
    expect(await statuses(gateway, 'guest', account)).toEqual(account.map(() => 403));
    expect(await statuses(gateway, null, account)).toEqual(account.map(() => 401));
    expect(upstream.seen).toEqual([]);
    expect(await statuses(gateway, 'guest', models)).toEqual(models.map(() => 200));
    expect(await statuses(gateway, 'operator', account)).toEqual(account.map(() => 200));
  },
);

test('what has waited while a reload put a server elsewhere in the place of its engine is judged anew', async () => {
  const keyFile = join(tmpdir(), `berth-lent-later-${process.pid}`);
  await writeFile(keyFile, 'lent');
  onTestFinished(() => rm(keyFile, { force: true }));
  const far = await engine((turn) => turn.json(200, {}));
  function config(deployment: string, more: Parameters<typeof configFor>[0][0]): GatewayConfig {
    return configFor([{ ...more, deployment }], {
      anonymous: true,
      keys,
      routes: [{ name: 'm', to: [{ deployment, weight: 1 }], aliasOf: null }],
    });
  }
  // The route leads to another deployment by then, or its deployment to another engine.
  for (const deployment of ['far', 'd']) {
    const held: Turn[] = [];
    const near = await engine((turn) => void held.push(turn));
    const gateway = await front(config('d', { url: near.url, slots: 1 }));
    const first = statuses(gateway, null, ['POST m/sleep']);
    await until('one is served', () => held.length === 1);
    const waiting = [
      statuses(gateway, null, ['POST m/sleep', 'DELETE m/api/delete']),
      statuses(gateway, 'guest', ['POST m/sleep']),
      statuses(gateway, null, ['POST m/v1/completions', 'GET m/v1/models']),
      statuses(gateway, 'operator', ['POST m/v1/load_lora_adapter']),
    ];
    await until('the others wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 6);
    far.seen.length = 0;
    await gateway.reload(config(deployment, { url: far.url, keyFile, lentKey: true }));
    held[0]?.json(200, {});
    expect(await Promise.all(waiting)).toEqual([[401, 401], [403], [200, 200], [200]]);
    expect(far.seen.map(({ path }) => path).toSorted()).toEqual([
      '/v1/completions',
      '/v1/load_lora_adapter',
      '/v1/models',
    ]);
    expect(await first).toEqual([200]);
    expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
  }
});
