import { expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const proxy = 'http://proxy.test:3128';

test('each scheme has its own proxy, lower case comes first, and an address without a scheme is one of http', () => {
  const env = {
    https_proxy: 'near.test:1',
    HTTPS_PROXY: 'http://far.test:2',
    HTTP_PROXY: 'https://me:x@plain.test',
  };
  expect(proxyFor(env, 'https://hub.test/a')).toBe('http://near.test:1/');
  expect(proxyFor(env, 'http://hub.test/a')).toBe('https://me:x@plain.test/');
  expect(proxyFor({ HTTPS_PROXY: ' ' }, 'https://hub.test/a')).toBeNull();
  expect(proxyFor({ HTTP_PROXY: proxy }, 'https://hub.test/a')).toBeNull();
  // Where its own is not set, that for all.
  for (const url of ['https://hub.test/a', 'http://hub.test/a'])
    expect(proxyFor({ all_proxy: proxy }, url)).toBe(`${proxy}/`);
  expect(proxyFor({ ALL_PROXY: proxy, https_proxy: 'near.test:1' }, 'https://hub.test/a')).toBe(
    'http://near.test:1/',
  );
});

test.each([
  ['*', 'https://hub.test', true],
  ['hub.test', 'https://hub.test', true],
  ['HUB.test', 'https://a.hub.test', true],
  ['.hub.test', 'https://a.b.hub.test', true],
  ['*.hub.test', 'https://a.hub.test', true],
  ['hub.test', 'https://github.test', false],
  ['other.test, hub.test', 'https://hub.test', true],
  ['other.test hub.test:443', 'https://hub.test', true],
  ['hub.test:8443', 'https://hub.test', false],
  ['hub.test:8443', 'https://hub.test:8443', true],
  ['10.0.0.0/8', 'https://10.7.7.7', true],
  ['10.0.0.0/8', 'https://11.0.0.1', false],
  ['10.0.0.0/99', 'https://10.0.0.1', false],
  ['10.0.0.1', 'https://10.0.0.1', true],
  ['0.0.1', 'https://10.0.0.1', false],
  ['fd00::/8', 'https://[fd12::1]', true],
  ['fd12::1', 'https://[fd12::1]', true],
  ['[fd12::1]:8443', 'https://[fd12::1]', false],
  ['[fd12::1]:443', 'https://[fd12::1]', true],
  ['', 'https://hub.test', false],
])('NO_PROXY=%s keeps %s from the proxy: %s', (excepted, url, direct) => {
  const found = proxyFor({ HTTPS_PROXY: proxy, NO_PROXY: excepted }, url);
  expect(found).toBe(direct ? null : `${proxy}/`);
});

test.each(['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]:80'])(
  '%s is always asked directly',
  (url) => expect(proxyFor({ HTTP_PROXY: proxy }, url)).toBeNull(),
);

test('a proxy that cannot be asked is told by its variable, without what stands in it', () => {
  for (const value of ['socks5://me:hidden@proxy.test', 'http://me:hidden@:x']) {
    function ask(): void {
      proxyFor({ HTTPS_PROXY: value }, 'https://hub.test');
    }
    expect(ask).toThrow(/^HTTPS_PROXY /);
    expect(ask).not.toThrow(/hidden/);
  }
});
