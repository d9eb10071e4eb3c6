import { expect, test } from 'vitest';
import type { Route } from '../../../src/domain/gateway-config.ts';
import { wellBehaved } from '../fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat } from '../harness.ts';

/** What an engine breaks off before it answers, and no other engine of its deployment is there for. */

function route(more: Partial<Route>): Route {
  return { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null, ...more };
}

/** Two deployments of one route, each with one engine. */
function twoDeployments(urls: readonly string[], more: Partial<Route> = {}): ReturnType<typeof configFor> {
  const to = urls.map((_, i) => ({ deployment: `d${i}`, weight: 1 }));
  return configFor(
    urls.map((url, i) => ({ url, deployment: `d${i}` })),
    { routes: [route({ to, ...more })] },
  );
}

test('rule 7: a request whose only engine breaks a fresh connection goes to another deployment of its route', async () => {
  const [breaks, serves] = [await engine((turn) => turn.reset()), await engine(wellBehaved)];
  const gateway = await front(twoDeployments([breaks.url, serves.url], { split: { by: 'session' } }));
  for (let i = 0; i < 12; i += 1) {
    const reply = await postChat(gateway.url, { stream: true }, { headers: { 'x-berth-unit': `u${i}` } });
    expect([reply.status, reply.headers.get('x-berth-deployment')]).toEqual([200, 'd1']);
    expect(await reply.text()).toContain('[DONE]');
  }
  expect(breaks.seen.length).toBeGreaterThan(0);
  expect(await gateway.metric('berth_gateway_inflight', 'deployment="d0"')).toBe(0);
});

test('rule 7: a request whose only engine breaks a fresh connection is served by the fallback of its route', async () => {
  const [breaks, spare] = [await engine((turn) => turn.reset()), await engine(wellBehaved)];
  const shapes = [
    { url: breaks.url, deployment: 'a' },
    { url: spare.url, deployment: 'b' },
  ];
  const routes = [
    route({ to: [{ deployment: 'a', weight: 1 }], fallback: { to: ['spare'], on: ['unreachable'] } }),
    route({ name: 'spare', to: [{ deployment: 'b', weight: 1 }] }),
  ];
  const gateway = await front(configFor(shapes, { routes }));
  const reply = await postChat(gateway.url, { stream: true });
  expect([reply.status, reply.headers.get('x-berth-route')]).toEqual([200, 'spare']);
  expect(await reply.text()).toContain('[DONE]');
});

test('rule 7: a request that breaks every engine it meets is moved once, over deployments and fallbacks too', async () => {
  const engines = await Promise.all([0, 1, 2].map(() => engine((turn) => turn.reset())));
  const config = twoDeployments(
    engines.map(({ url }) => url),
    { fallback: { to: ['d2'], on: ['unreachable'] } },
  );
  const spare = { ...route({ name: 'd2', to: [{ deployment: 'd2', weight: 1 }] }) };
  const gateway = await front({ ...config, routes: [...config.routes, spare] });
  const reply = await postChat(gateway.url);
  expect([reply.status, (await errorOf(reply)).code]).toEqual([502, 'upstream_failed']);
  expect(engines.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(2);
});
