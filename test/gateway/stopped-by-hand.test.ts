import { expect, test } from 'vitest';
import type { Route } from '../../src/domain/gateway-config.ts';
import { wellBehaved } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';

function route(parts: Pick<Route, 'to'> & Partial<Route>): Route {
  return { name: 'm', aliasOf: null, ...parts };
}

const toA = [{ deployment: 'a', weight: 1 }];

test('who waits for a model that is stopped by hand meanwhile is told so at once', async () => {
  const { gateway, asked } = await stage({ a: {} });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await gateway.reload(configFor([], { routes: [route({ name: 'a', to: toA })], stoppedByHand: ['a'] }));
  const refused = await reply;
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, null]);
  expect((await errorOf(refused)).code).toBe('deployment_stopped');
});

test('what was stopped by hand is stood in for by the fallback, and serves again once it is started', async () => {
  const [own, spare] = await Promise.all([engine(wellBehaved), engine(wellBehaved)]);
  const b = { url: spare.url, deployment: 'b' };
  const routes = [
    route({ to: toA, fallback: { to: ['spare'], on: ['unreachable'] } }),
    route({ name: 'spare', to: [{ deployment: 'b', weight: 1 }] }),
  ];
  const gateway = await front(configFor([b], { routes, stoppedByHand: ['a'] }));
  const reply = await postChat(gateway.url);
  expect([reply.status, reply.headers.get('x-berth-route')]).toEqual([200, 'spare']);
  await gateway.reload(configFor([{ url: own.url, deployment: 'a' }, b], { routes }));
  const again = await postChat(gateway.url);
  expect([again.status, again.headers.get('x-berth-route')]).toEqual([200, null]);
  await gateway.reload(configFor([b], { routes: [route({ to: toA })] }));
  expect((await errorOf(await postChat(gateway.url))).code).toBe('no_healthy_instance');
});

test('who waits in line for an engine that is stopped by hand is told so at once', async () => {
  const finish = Promise.withResolvers<void>();
  const own = await engine(async (turn) => {
    await finish.promise;
    wellBehaved(turn);
  });
  const routes = [route({ to: toA })];
  const gateway = await front(configFor([{ url: own.url, deployment: 'a', slots: 1 }], { routes }));
  const first = postChat(gateway.url);
  await until('it is under way', () => own.seen.length === 1);
  const second = postChat(gateway.url);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await gateway.reload(configFor([], { routes, stoppedByHand: ['a'] }));
  const begun = performance.now();
  const refused = await second;
  expect([refused.status, (await errorOf(refused)).code]).toEqual([503, 'deployment_stopped']);
  expect(performance.now() - begun).toBeLessThan(5_000);
  finish.resolve();
  expect((await first).status).toBe(200);
});

test('of a route over several deployments one that is stopped by hand does not speak for the others', async () => {
  const away = await engine((turn) => turn.reset());
  const toBoth = [...toA, { deployment: 'b', weight: 1 }];
  const routes = [route({ to: toBoth })];
  const gateway = await front(
    configFor([{ url: away.url, deployment: 'b' }], { routes, stoppedByHand: ['a'] }),
  );
  for (let i = 0; i < 12; i += 1) {
    const refused = await postChat(gateway.url);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await errorOf(refused)).code).not.toBe('deployment_stopped');
  }
  await gateway.reload(configFor([], { routes, stoppedByHand: ['a', 'b'] }));
  expect((await errorOf(await postChat(gateway.url))).code).toBe('deployment_stopped');
});
