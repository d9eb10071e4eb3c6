import { afterEach, expect, test } from 'vitest';
import { startProxy } from '../../../test/support/proxy-server.ts';
import type { ProxyServer } from '../../../test/support/proxy-server.ts';
import { systemHttp } from '../http.ts';
import { createConnector } from './connect.ts';
import { GaveUp } from './faults.ts';

const address = { url: 'https://hub.test/a.bin', headers: {} };
const proxies: ProxyServer[] = [];

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});

async function proxyBy(options: Parameters<typeof startProxy>[0] = {}): Promise<ProxyServer> {
  const proxy = await startProxy(options);
  proxies.push(proxy);
  return proxy;
}

test('a proxy that never opens its tunnel is waited for as long as a reply, or until the fetch is given up', async () => {
  const proxy = await proxyBy();
  proxy.silent = true;
  const env = { HTTPS_PROXY: proxy.url };
  using quick = createConnector({ stallMs: 200, connections: 1, env });
  const late = quick.get(address, null, null, new AbortController().signal);
  await expect(late).rejects.toThrow(`the proxy ${new URL(proxy.url).host} opens no way: nothing came`);

  const patient = createConnector({ stallMs: 600_000, connections: 1, env });
  const stop = new AbortController();
  const given = patient.get(address, null, null, stop.signal);
  stop.abort(new Error('no longer wanted'));
  await expect(given).rejects.toThrow('no longer wanted');
  patient[Symbol.dispose]();

  const asked = systemHttp.request(address.url, { timeoutMs: 200, proxy: proxy.url });
  await expect(asked).rejects.toThrow(/timeout|nothing came/);
  // Nothing is left that would keep the program from its end.
  await expect.poll(() => proxy.open()).toBe(0);
});

test('what a proxy refuses is not asked again', async () => {
  const proxy = await proxyBy({ wants: 'me:right' });
  const env = {
    HTTPS_PROXY: proxy.url.replace('right', 'wrong'),
    HTTP_PROXY: proxy.url.replace('right', 'wrong'),
  };
  using connector = createConnector({ stallMs: 5000, connections: 1, env });
  for (const url of [address.url, 'http://hub.test/a.bin']) {
    const refused = connector.get({ url, headers: {} }, null, null, new AbortController().signal);
    await expect(refused).rejects.toThrow(GaveUp);
  }
  expect(proxy.asked).toEqual([]);
});
