import { expect, test } from 'vitest';
import type { Route } from '../../../src/domain/gateway-config.ts';
import { chatEvent, chunkOf, usageEvent, wellBehaved, wholeStream } from '../fake-upstream.ts';
import { postChat, start } from '../harness.ts';

test('rule 15: the engine gets its own name for the model; the reply keeps what it wrote and a header tells', async () => {
  const { upstream, gateway } = await start(wellBehaved, {
    upstream: { model: 'engine-model' },
    routes: [
      { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
      { name: 'gpt-4o', to: [{ deployment: 'd', weight: 1 }], aliasOf: 'm' },
    ],
  });
  for (const model of ['m', 'gpt-4o']) {
    const reply = await postChat(gateway.url, { model, stream: true });
    expect(reply.headers.get('x-berth-model')).toBe('engine-model');
    expect(await reply.text()).toContain('"model":"engine-model"');
  }
  expect(upstream.seen.map(({ body }) => (JSON.parse(body) as { model: string }).model)).toEqual([
    'engine-model',
    'engine-model',
  ]);
});

/** Two names of one deployment, whose replies name what was asked for. */
function named(): { routes: Route[]; upstream: { model: string } } {
  const route = { to: [{ deployment: 'd', weight: 1 }], replyModel: 'asked' as const };
  const routes = [
    { ...route, name: 'm', aliasOf: null },
    { ...route, name: 'gpt "4o"', aliasOf: 'm' },
  ];
  return { routes, upstream: { model: 'engine-model' } };
}

const asked = JSON.stringify('gpt "4o"');

test('rule 15: where it is wanted, streams name what was asked for, and nothing else of them changes', async () => {
  const tricky = `: "model" {"model":"engine-model"}\r\n\r\nevent: x\r\ndata:{"metadata":{"model":"a"}, "model" : "engine-model","n":1e400}\r\n\r\n${chatEvent('"model":"engine-model"')}data: {"model":null}\n\ndata: no "model"\n\n`;
  const renamed = tricky
    .replace('"model" : "engine-model"', `"model" : ${asked}`)
    .replace('"created":1,"model":"engine-model"', `"created":1,"model":${asked}`);
  const { gateway, upstream } = await start(wellBehaved, named());
  const plain = await postChat(gateway.url, { model: 'gpt "4o"', stream: true });
  expect(plain.headers.get('x-berth-model')).toBe('engine-model');
  expect(await plain.text()).toBe(wholeStream.replaceAll('"engine-model"', asked));
  for (const size of [1, 7, 10_000]) {
    const bytes = Buffer.concat([chunkOf(tricky + usageEvent), Buffer.from('0\r\n\r\n')]);
    upstream.setScript(async (turn) => {
      turn.stream();
      for (let at = 0; at < bytes.length; at += size) {
        turn.write(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      turn.done();
    });
    const reply = await postChat(gateway.url, { model: 'gpt "4o"', stream: true });
    expect([size, await reply.text()]).toEqual([size, renamed]);
  }
});

test('rule 15: the same of an event that is too large to be held back, and of the events behind it', async () => {
  const large = `data: {"object":"x","content":"${'y'.repeat(200_000)}","model":"engine-model"}\n\n`;
  const { gateway } = await start((turn) => {
    turn.stream();
    for (let at = 0; at < large.length; at += 50_000) turn.chunk(large.slice(at, at + 50_000));
    turn.chunk(chatEvent('after'));
    turn.endChunks();
  }, named());
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text.slice(0, 200_000)).toBe(large.slice(0, 200_000));
  expect(text.endsWith(chatEvent('after').replace('engine-model', 'm'))).toBe(true);
});

test.each([
  ['/v1/responses', 'response.created', 'response'],
  ['/v1/messages', 'message_start', 'message'],
])('rule 15: in events of %s the name is found where these have it', async (path, type, around) => {
  function event(model: string): string {
    return `event: ${type}\ndata: {"type":"${type}","${around}":{"metadata":{"model":"a"},"model":${model}}}\n\n`;
  }
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(event('"engine-model"'));
    turn.endChunks();
  }, named());
  const body = JSON.stringify({ model: 'gpt "4o"', stream: true });
  const reply = await fetch(gateway.url + path, { method: 'POST', body });
  expect(await reply.text()).toBe(event(asked));
});

test('rule 15: a plain reply names what was asked for, however it is framed; an error and other bytes stay as they are', async () => {
  const body =
    '{ "metadata":{"model":"a"},"big":9007199254740993,\n"model":"engine-model","twice":1,"twice":2}';
  const { gateway, upstream } = await start(wellBehaved, named());
  async function answer(model: string): Promise<string> {
    return (await postChat(gateway.url, { model })).text();
  }
  function replies(head: string, payload: string): void {
    upstream.setScript((turn) => {
      turn.write(`HTTP/1.1 ${head}\r\n${payload}`);
      turn.done();
    });
  }
  const json = '200 OK\r\nContent-Type: application/json; charset=utf-8\r\n';
  replies(`${json}Content-Length: ${body.length}\r\n`, body);
  for (const name of ['m', 'gpt "4o"'])
    expect(await answer(name)).toBe(body.replace('"engine-model"', JSON.stringify(name)));
  replies(
    `${json}Transfer-Encoding: chunked\r\n`,
    `${chunkOf(body.slice(0, 70)).toString()}${chunkOf(body.slice(70)).toString()}0\r\n\r\n`,
  );
  expect(await answer('m')).toBe(body.replace('engine-model', 'm'));
  // Each part is a read of its own.
  upstream.setScript(async (turn) => {
    turn.write(`HTTP/1.1 ${json}Content-Length: ${body.length}\r\n\r\n`);
    for (const part of [body.slice(0, 70), body.slice(70)]) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      turn.write(part);
    }
    turn.done();
  });
  expect(await answer('m')).toBe(body.replace('engine-model', 'm'));
  replies(`400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`, body);
  expect(await answer('m')).toBe(body);
  replies(`200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n`, body);
  expect(await answer('m')).toBe(body);
  const whole = `{"a":"${'x'.repeat(9 * 1024 * 1024)}","model":"engine-model"}`;
  replies(`${json}Content-Length: ${whole.length}\r\n`, whole);
  expect(await answer('m')).toBe(whole);
});
