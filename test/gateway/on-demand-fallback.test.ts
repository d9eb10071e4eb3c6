import { expect, test } from 'vitest';
import { errorOf, postChat, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';

const TiB = 1024 ** 4;
function one(deployment: string) {
  return [{ deployment, weight: 1 }];
}

/** The route "m" over the model a, with b to fall back to. */
function routes(on: ('unreachable' | 'deadline')[]) {
  return [
    { name: 'm', to: one('a'), aliasOf: null, fallback: { to: ['b'], on } },
    { name: 'b', to: one('b'), aliasOf: null },
  ];
}

test('a model that cannot be loaded is stood in for by the fallback, for who waited and for who comes', async () => {
  const { gateway, asked, failed, loaded } = await stage(
    { a: {}, b: {} },
    { config: { routes: routes(['unreachable']) } },
  );
  const waits = postChat(gateway.url);
  await until('a is asked for', () => asked.includes('load a'));
  await failed('a', 'its engine ended while starting.');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  for (const reply of [await waits, await postChat(gateway.url)])
    expect([reply.status, reply.headers.get('x-berth-route')]).toEqual([200, 'b']);
  expect(asked).toEqual(['load a', 'load b']);
});

test('a model that does not fit is stood in for by the fallback', async () => {
  const { gateway, asked, loaded } = await stage(
    { a: { need: { host: TiB, gpu: 0 } }, b: {} },
    { config: { routes: routes(['unreachable']) } },
  );
  const reply = postChat(gateway.url);
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  expect((await reply).headers.get('x-berth-route')).toBe('b');
  expect(asked).toEqual(['load b']);
});

test('a load that takes too long goes to the fallback where the route says so', async () => {
  const slow = { loadMs: 1, startTimeoutMs: 1 };
  async function ask(on: 'unreachable' | 'deadline') {
    const config = { routes: routes([on]), limits: { queueMs: 50 } };
    const { gateway, loaded } = await stage({ a: slow, b: { need: { host: 1, gpu: 0 } } }, { config });
    await loaded('b');
    return postChat(gateway.url);
  }
  expect((await ask('deadline')).headers.get('x-berth-route')).toBe('b');
  expect((await errorOf(await ask('unreachable'))).code).toBe('model_loading');
});

test('where one model of a route cannot be loaded, another one of the route serves', async () => {
  const to = [...one('a'), { deployment: 'b', weight: 0 }];
  const { gateway, asked, failed, loaded } = await stage(
    { a: {}, b: { need: { host: 1, gpu: 0 } } },
    { config: { routes: [{ name: 'm', to, aliasOf: null }] } },
  );
  await loaded('b');
  const reply = postChat(gateway.url);
  await until('a is asked for', () => asked.includes('load a'));
  await failed('a', 'its engine ended while starting.');
  expect([(await reply).status, (await reply).headers.get('x-berth-deployment')]).toEqual([200, 'b']);
});
