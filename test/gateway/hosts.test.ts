import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import { chat, dial, errorOf, post, sha256, start } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Status line of a chat that asks for a host of that name. */
async function asked(gateway: RunningGateway, host: string): Promise<string> {
  const text = post('/v1/chat/completions', chat(), 'Connection: close\r\n').replace('Host: x', host);
  const wire = await dial(gateway.port, text);
  await wire.closed;
  return wire.text().slice(9, 12);
}

test('a gateway without keys on loopback answers to its own names alone, so that a page of a name that points there gets nothing', async () => {
  const { gateway, upstream } = await start(wellBehaved, { hosts: ['llm.lab'] });
  for (const host of ['127.0.0.1:8484', 'localhost', '[::1]:8484', '127.0.0.2', 'llm.lab', 'LLM.lab:80'])
    expect(await asked(gateway, `Host: ${host}`), host).toBe('200');
  const served = upstream.seen.length;
  for (const host of [
    'evil.example',
    'evil.example:8484',
    'localhost.evil.example',
    '10.0.0.1',
    'llm.lab.evil',
  ])
    expect(await asked(gateway, `Host: ${host}`), host).toBe('403');
  expect(upstream.seen.length).toBe(served);
  const wire = await dial(
    gateway.port,
    'GET /metrics HTTP/1.1\r\nHost: evil\r\nX-Request-Id: mine-2\r\nConnection: close\r\n\r\n',
  );
  await wire.closed;
  expect(wire.text()).toMatch(/x-request-id: mine-2.*host_not_allowed/s);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="403"')).toBe(6);
});

test('metrics are told to all, or to keys alone where this is wanted', async () => {
  const keys = [{ id: 'a', name: 'a', sha256: sha256('a') }];
  const { gateway } = await start(wellBehaved, { keys });
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(200);
  for (const anonymous of [false, true]) {
    const observe = { genAi: false, metricsKey: true, accessLog: null, tracing: null, capture: null };
    const shut = await start(wellBehaved, { keys, observe, anonymous });
    const refused = await fetch(`${shut.gateway.url}/metrics`);
    expect([refused.status, (await errorOf(refused)).type]).toEqual([401, 'authentication_error']);
    const headers = { authorization: 'Bearer a' };
    expect((await fetch(`${shut.gateway.url}/metrics`, { headers })).status).toBe(200);
  }
});
