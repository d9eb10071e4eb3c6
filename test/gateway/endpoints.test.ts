import { expect, test } from 'vitest';
import { endpoints } from '../../src/domain/endpoints.ts';
import type { Turn } from './fake-upstream.ts';
import { wellBehaved } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, sha256, start } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rules 15, 16 and 25: what is not the gateway's to read passes untouched, at every endpoint. */

const answer = '{ "id":"r1","big":9007199254740993,"twice":1,"twice":2,"text":"h\\u00e4" }';

function plain(turn: Turn): void {
  turn.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
  );
  turn.done();
}

function send(
  gateway: RunningGateway,
  path: string,
  body: string | Uint8Array | FormData,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Response> {
  return fetch(gateway.url + path, { method: 'POST', body, headers });
}

const jsonPaths = endpoints.filter(({ body }) => body === 'json').map(({ path }) => path);
const formPaths = endpoints.filter(({ body }) => body === 'form').map(({ path }) => path);

const before =
  '{"seed":12345678901234567890,"top_k":40,"top_k":41, "guided_json":{"type":"object","properties":{"model":{"enum":[1e400,-0.0]}}},' +
  '"tools":[{"type":"function","function":{"name":"model","parameters":{"model":"\\"model\\":"}}}],\n\t';
const after =
  ' ,"input":"\\ud83d\\ude00 h\u00e4","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],"logit_bias":{"1":0.10}, "vendor_x":null}';

test.each(jsonPaths)(
  '%s passes byte for byte, but for the name that the engine has for its model',
  async (path) => {
    const { upstream, gateway } = await start(plain, { upstream: { model: 'engine/"m"' } });
    const reply = await send(gateway, `${path}?a=1&b=%20`, `${before}"model" : "m"${after}`);
    expect([reply.status, await reply.text()]).toEqual([200, answer]);
    expect(upstream.seen[0]?.path).toBe(`${path}?a=1&b=%20`);
    expect(upstream.seen[0]?.body).toBe(`${before}"model" : "engine/\\"m\\""${after}`);
    const wanted = await start(plain);
    await send(wanted.gateway, path, `${before}"model" : "m"${after}`);
    expect(wanted.upstream.seen[0]?.body).toBe(`${before}"model" : "m"${after}`);
  },
);

const boundary = 'x-berth (1)';
const sound = Buffer.from([0, 255, 13, 10, 45, 45, 128, 13, 10, 13, 10, 254]);

function part(head: string, value: string | Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
}

function field(name: string, value: string): Buffer {
  return part(`Content-Disposition: form-data; name="${name}"`, value);
}

const file = part(
  'Content-Disposition: form-data; filename="a; name=\\"model\\".wav"; name="file"\r\nContent-Type: audio/wav',
  sound,
);
const end = Buffer.from(`--${boundary}--\r\n`);
const formType = { 'content-type': `multipart/form-data; boundary="${boundary}"` };

test.each(formPaths)(
  'rule 25: %s finds the model among the fields of a form and rebuilds nothing',
  async (path) => {
    const { upstream, gateway } = await start(plain, { upstream: { model: 'whisper-large' } });
    for (const fields of [
      [field('model', 'm'), file, field('language', 'de'), field('language', 'en')],
      [file, field('language', 'de'), field('model', 'm')],
    ]) {
      const reply = await send(gateway, path, Buffer.concat([...fields, end]), formType);
      expect([reply.status, await reply.text()]).toEqual([200, answer]);
      const spliced = fields.map((one) =>
        one.includes('name="model"\r\n') ? field('model', 'whisper-large') : one,
      );
      expect(upstream.seen.at(-1)?.bytes).toEqual(Buffer.concat([...spliced, end]));
      expect(upstream.seen.at(-1)?.headers['content-type']).toBe(formType['content-type']);
    }
  },
);

test('rule 25: a form as fetch makes it is understood', async () => {
  const { upstream, gateway } = await start(plain);
  const form = new FormData();
  form.set('file', new Blob([sound], { type: 'audio/wav' }), 'häm.wav');
  form.set('model', 'm');
  expect((await send(gateway, '/v1/audio/transcriptions', form, {})).status).toBe(200);
  expect(upstream.seen[0]?.bytes.includes(sound)).toBe(true);
});

const head = 'Content-Disposition: form-data; name="model"';
const oddForms: Record<string, { body: Buffer; type?: string }> = {
  'a form without a model': { body: Buffer.concat([file, end]) },
  'the model twice': { body: Buffer.concat([field('model', 'm'), field('model', 'other'), end]) },
  'the model twice, once in capitals': {
    body: Buffer.concat([field('model', 'm'), field('Model', 'x'), end]),
  },
  'a name with an escape': { body: Buffer.concat([field('model', 'm'), field('mo\\del', 'x'), end]) },
  'a percent-coded name': { body: Buffer.concat([field('model', 'm'), field('mod%65l', 'x'), end]) },
  'a name in another notation': {
    body: Buffer.concat([
      field('model', 'm'),
      part("Content-Disposition: form-data; name*=utf-8''model", 'x'),
      end,
    ]),
  },
  'two names': {
    body: Buffer.concat([part('Content-Disposition: form-data; name="a"; name="model"', 'm'), end]),
  },
  'two dispositions': { body: Buffer.concat([part(`${head}\r\n${head}`, 'm'), end]) },
  'a folded header': {
    body: Buffer.concat([part('Content-Disposition: form-data;\r\n name="model"', 'm'), end]),
  },
  'lone line feeds': {
    body: Buffer.from(
      Buffer.concat([field('model', 'm'), end])
        .toString()
        .replaceAll('\r', ''),
    ),
  },
  'a transfer encoding': {
    body: Buffer.concat([part(`${head}\r\nContent-Transfer-Encoding: base64`, 'bQ=='), end]),
  },
  'text before the first part': { body: Buffer.concat([Buffer.from('x\r\n'), field('model', 'm'), end]) },
  'a part after the end': { body: Buffer.concat([field('model', 'm'), end, field('model', 'other'), end]) },
  'a form that breaks off': { body: Buffer.concat([field('model', 'm'), file]) },
  'an empty model': { body: Buffer.concat([field('model', ''), end]) },
  'a model as long as a file': { body: Buffer.concat([field('model', 'm'.repeat(5000)), end]) },
  'no boundary': { body: Buffer.concat([field('model', 'm'), end]), type: 'multipart/form-data' },
  'two boundaries': {
    body: Buffer.concat([field('model', 'm'), end]),
    type: `multipart/form-data; boundary="${boundary}"; boundary=other`,
  },
  'JSON in place of a form': { body: Buffer.from('{"model":"m"}'), type: 'application/json' },
};

test.each(Object.keys(oddForms))(
  'rule 25: a form with %s gets a 400 and never reaches the engine',
  async (name) => {
    const { upstream, gateway } = await start(plain);
    const { body, type } = oddForms[name] as { body: Buffer; type?: string };
    const reply = await send(gateway, '/v1/audio/transcriptions', body, {
      'content-type': type ?? formType['content-type'],
    });
    expect(reply.status).toBe(400);
    await errorOf(reply);
    expect(upstream.seen).toEqual([]);
  },
);

test.each(['Model', 'MODEL', 'Stream', '\\u017ftream', 'Stream_Options'])(
  'rule 17: the key %s, which some engines take for its lower-case twin, is refused',
  async (key) => {
    const { upstream, gateway } = await start(plain);
    const reply = await send(gateway, '/v1/chat/completions', `{"model":"m","${key}":"other","messages":[]}`);
    expect([reply.status, (await errorOf(reply)).code]).toEqual([400, 'invalid_json']);
    expect(upstream.seen).toEqual([]);
  },
);

test('an alias is spliced into every kind of body, under the name the engine wants', async () => {
  const upstream = await engine(plain);
  const to = [{ deployment: 'd', weight: 1 }];
  const gateway = await front(
    configFor([{ url: upstream.url, model: 'real' }], {
      routes: [
        { name: 'm', to, aliasOf: null },
        { name: 'gpt-4o', to, aliasOf: 'm' },
      ],
    }),
  );
  await send(gateway, '/v1/messages', '{"messages":[],"m\\u006fdel":"gpt\\u002d4o"}');
  await send(gateway, '/v1/rerank', '{"model":"gpt-4o","query":"a","documents":["b"]}');
  await send(
    gateway,
    '/v1/audio/translations',
    Buffer.concat([field('model', 'gpt-4o'), file, end]),
    formType,
  );
  expect(upstream.seen.map(({ bytes }) => bytes)).toEqual([
    Buffer.from('{"messages":[],"m\\u006fdel":"real"}'),
    Buffer.from('{"model":"real","query":"a","documents":["b"]}'),
    Buffer.concat([field('model', 'real'), file, end]),
  ]);
});

/** Two deployments whose engines have different endpoints, each behind a route of its name, and "both" over the two. */
async function two() {
  const chats = await engine(plain);
  const ranks = await engine(plain);
  const gateway = await front(
    configFor(
      [
        { id: 'c', deployment: 'chats', url: chats.url, paths: ['/v1/chat/completions', '/tokenize'] },
        { id: 'r', deployment: 'ranks', url: ranks.url, paths: ['/rerank'] },
      ],
      {
        routes: ['chats', 'ranks', 'both'].map((name) => ({
          name,
          to:
            name === 'both'
              ? [
                  { deployment: 'chats', weight: 1000 },
                  { deployment: 'ranks', weight: 1 },
                ]
              : [{ deployment: name, weight: 1 }],
          aliasOf: null,
        })),
      },
    ),
  );
  return { chats, ranks, gateway };
}

test('an endpoint that the engine lacks gets a 501 that names the deployments that have it', async () => {
  const { gateway } = await two();
  const reply = await send(gateway, '/v1/rerank', '{"model":"chats"}');
  expect(reply.status).toBe(501);
  expect(reply.headers.get('x-should-retry')).toBe('false');
  const error = await errorOf(reply);
  expect(error.code).toBe('endpoint_not_supported');
  expect(error.message).toContain('Deployments that have it: ranks.');
  const nobody = await errorOf(await send(gateway, '/infill', '{"model":"chats"}'));
  expect(nobody.message).toContain('No deployment here has it.');
});

test('the 501 names apart those deployments whose engines do not tell what they have', async () => {
  const upstream = await engine(plain);
  const shapes = { chats: ['/v1/chat/completions'], ranks: ['/rerank'], other: [], another: [] };
  const routes = Object.keys(shapes).map((name) => ({
    name,
    to: [{ deployment: name, weight: 1 }],
    aliasOf: null,
  }));
  const upstreams = Object.entries(shapes).map(([name, paths]) => {
    return { id: name, deployment: name, url: upstream.url, paths };
  });
  const gateway = await front(configFor(upstreams, { routes }));
  const some = await errorOf(await send(gateway, '/v1/rerank', '{"model":"chats"}'));
  expect(some.message).toMatch(/that have it: ranks\. Deployments that may have it, .*: other, another\.$/);
  const none = await errorOf(await send(gateway, '/infill', '{"model":"chats"}'));
  expect(none.message).toMatch(/\/infill\. Deployments that may have it, .*: other, another\.$/);
});

test('a route over several deployments sends to those that have the endpoint', async () => {
  const { chats, ranks, gateway } = await two();
  for (let i = 0; i < 5; i += 1) await send(gateway, '/rerank', '{"model":"both"}');
  expect([chats.seen.length, ranks.seen.length]).toEqual([0, 5]);
});

test('an endpoint with several names reaches an engine under the name that it has', async () => {
  const { ranks, gateway } = await two();
  for (const path of ['/v1/rerank?x=1', '/v2/rerank', '/reranking', '/rerank'])
    expect((await send(gateway, path, '{"model":"ranks"}')).status).toBe(200);
  expect(ranks.seen.map(({ path }) => path)).toEqual(['/rerank?x=1', '/rerank', '/rerank', '/rerank']);
});

test('a key for one name of an endpoint is a key for all of them', async () => {
  const upstream = await engine(plain);
  const keys = [{ id: 'k', name: 'k', sha256: sha256('right'), endpoints: ['/v1/rerank'] }];
  const gateway = await front(configFor([{ url: upstream.url }], { keys }));
  const headers = { authorization: 'Bearer right' };
  expect((await send(gateway, '/v2/rerank', '{"model":"m"}', headers)).status).toBe(200);
  expect((await send(gateway, '/v1/score', '{"model":"m"}', headers)).status).toBe(403);
});

test.each(['/tokenize', '/detokenize', '/apply-template', '/infill'])(
  '%s needs no model as long as only one is served',
  async (path) => {
    const { upstream, gateway } = await start(plain, { upstream: { model: 'real' } });
    const body = '{"content":"a","prompt":"b"}';
    expect((await send(gateway, path, body)).status).toBe(200);
    expect(upstream.seen[0]?.body).toBe(body);
    const several = await two();
    const reply = await send(several.gateway, path, body);
    expect([reply.status, (await errorOf(reply)).code]).toEqual([400, 'model_missing']);
  },
);

test('other endpoints need the name of a model, also where only one is served', async () => {
  const { gateway } = await start(wellBehaved);
  const reply = await send(gateway, '/v1/embeddings', '{"input":"x"}');
  expect([reply.status, (await errorOf(reply)).code]).toEqual([400, 'model_missing']);
});

test('speech and other bytes that are no text pass as they come', async () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256));
  const { gateway } = await start((turn) => {
    turn.stream('Content-Type: audio/mpeg\r\n');
    turn.chunk(bytes.subarray(0, 33_333));
    turn.chunk(bytes.subarray(33_333));
    turn.endChunks();
  });
  const reply = await send(gateway, '/v1/audio/speech', '{"model":"m","input":"Hello","voice":"a"}');
  expect(reply.headers.get('content-type')).toBe('audio/mpeg');
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(bytes);
});
