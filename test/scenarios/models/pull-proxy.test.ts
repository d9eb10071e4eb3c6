import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { makeAuthority, opensslMissing } from '../../support/certificates.ts';
import { contentOf, startHub } from '../../support/hub-server.ts';
import { startProxy } from '../../support/proxy-server.ts';
import type { ProxyOptions, ProxyServer } from '../../support/proxy-server.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const password = 'canary%40secret';
let place: Place;
const ends: (() => Promise<void>)[] = [];

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.close();
  for (const end of ends.splice(0)) await end();
});

async function proxyBy(options: ProxyOptions = {}): Promise<ProxyServer> {
  const proxy = await startProxy(options);
  ends.push(proxy.stop);
  return proxy;
}

/** Under a name that only the proxy knows. */
function named(url: string, name: string): string {
  return url.replace('127.0.0.1', name);
}

test('a hub is listed, read and fetched by the proxy, whose password shows nowhere', async () => {
  const hub = await startHub();
  ends.push(hub.stop);
  const proxy = await proxyBy({ wants: `me:${password}` });
  hub.files.set('tiny.bin', contentOf(100_000));
  place.env['HF_ENDPOINT'] = named(hub.url, 'hub.test');
  place.env['HTTP_PROXY'] = proxy.url;
  const ran = await place.berth('pull', 'hf://lab/tiny/tiny.bin', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  const [pulled] = ran.json() as { path: string }[];
  expect(readFileSync(pulled?.path ?? '').equals(contentOf(100_000).read(0, 99_999))).toBe(true);
  const at = place.env['HF_ENDPOINT'];
  expect(proxy.asked).toContain(`GET ${at}/api/models/lab/tiny/revision/main?blobs=true`);
  expect(proxy.asked).toContain(`GET ${at}/lab/tiny/resolve/c0ffee/tiny.bin`);

  place.env['HTTP_PROXY'] = proxy.url.replace('me:', 'somebody:');
  for (const command of [['pull'], ['models', 'show']]) {
    const refused = await place.berth(...command, 'hf://lab/other/tiny.bin');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('wants a name and password, or others (407)');
    expect(refused.stderr + refused.stdout).not.toMatch(/canary/);
  }
  place.env['HTTP_PROXY'] = `socks5://me:${password}@127.0.0.1:1`;
  for (const source of ['hf://lab/other/tiny.bin', 'http://files.test/tiny.bin']) {
    const other = await place.berth('pull', source);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('HTTP_PROXY names a proxy that speaks socks5:.');
    expect(other.stderr + other.stdout).not.toMatch(/canary|tried again/);
  }
});

test.skipIf(opensslMissing)(
  `an object store with TLS is asked through a tunnel${opensslMissing}`,
  async () => {
    const authority = makeAuthority();
    const { certFile, keyFile } = authority.issue('store', { names: 'DNS:store.test,IP:127.0.0.1' });
    const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile) };
    const s3 = await startS3(tls);
    ends.push(s3.stop);
    const weights = Buffer.alloc(300_000, 'w');
    s3.objects.set('models/a/config.json', Buffer.from('{"architectures":["MistralForCausalLM"]}'));
    s3.objects.set('models/a/notes.bin', weights);
    Object.assign(place.env, {
      AWS_ENDPOINT_URL: named(s3.url, 'store.test'),
      AWS_REGION: s3Keys.region,
      AWS_ACCESS_KEY_ID: s3Keys.id,
      AWS_SECRET_ACCESS_KEY: s3Keys.secret,
      AWS_CA_BUNDLE: authority.certFile,
      NODE_EXTRA_CA_CERTS: authority.certFile,
    });
    for (const [run, options] of [{ wants: `me:${password}` }, { tls }].entries()) {
      const proxy = await proxyBy(options);
      place.env['https_proxy'] = proxy.url;
      const ran = await place.berth('pull', `s3://models/a${run === 0 ? '' : '/notes.bin'}`, '--json');
      expect(ran.code, ran.stderr + ran.stdout).toBe(0);
      expect(new Set(proxy.asked)).toEqual(
        new Set([`CONNECT ${new URL(place.env['AWS_ENDPOINT_URL'] ?? '').host}`]),
      );
      expect(ran.stderr + ran.stdout).not.toMatch(/canary/);
    }
    const closed = await proxyBy({ wants: 'other:one' });
    place.env['https_proxy'] = named(closed.url, '127.0.0.1').replace('other:one', `me:${password}`);
    const refused = await place.berth('pull', 's3://models/a/config.json');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `the proxy ${new URL(closed.url).host} wants a name and password, or others (407)`,
    );
    expect(refused.stderr + refused.stdout).not.toMatch(/canary/);
  },
);
