import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import type { Log } from '../../src/io/log.ts';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, sha256 } from './harness.ts';

function refuses(turn: Turn): void {
  const refusal = { error: { message: 'Invalid API Key', code: 'invalid_api_key' } };
  turn.json(401, refusal, 'WWW-Authenticate: Bearer\r\n');
}

function keptLog(): { log: Log; errors: string[] } {
  const errors: string[] = [];
  function quiet(): void {}
  function error(message: string): void {
    errors.push(message);
  }
  return { log: { debug: quiet, info: quiet, warn: quiet, error }, errors };
}

test.each([401, 403])(
  "a %i that an engine gives to the gateway's own key is no fault of the client's",
  async (status) => {
    const folder = mkdtempSync(`${tmpdir()}/berth keys `);
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(`${folder}/key`, 'outdated');
    const upstream = await engine((turn) => turn.json(status, { error: { message: 'no' } }));
    const { log, errors } = keptLog();
    const keys = [{ id: 'id-one', name: 'one', sha256: sha256('sk-one') }];
    const gateway = await front(configFor([{ url: upstream.url, keyFile: `${folder}/key` }], { keys }), {
      log,
    });
    for (let i = 0; i < 3; i += 1) {
      const reply = await postChat(gateway.url, {}, { headers: { authorization: 'Bearer sk-one' } });
      expect([reply.status, (await errorOf(reply)).code]).toEqual([502, 'upstream_key_refused']);
      expect(reply.headers.get('x-berth-origin')).toBe('gateway');
      expect(reply.headers.get('www-authenticate')).toBeNull();
    }
    expect(upstream.seen.map(({ headers }) => headers['authorization'])).toEqual(
      Array<string>(3).fill('Bearer outdated'),
    );
    expect(await gateway.metric('berth_gateway_upstream_key_refusals_total', 'upstream="u0"')).toBe(3);
    expect(errors).toEqual(['An engine refuses the key that the fleet file names for it.']);
  },
);

test('a client whose own key is wrong is told so as before', async () => {
  const upstream = await engine(wellBehaved);
  const keys = [{ id: 'id-one', name: 'one', sha256: sha256('sk-one') }];
  const gateway = await front(configFor([{ url: upstream.url }], { keys }));
  const reply = await postChat(gateway.url, {}, { headers: { authorization: 'Bearer sk-two' } });
  expect([reply.status, (await errorOf(reply)).code]).toEqual([401, 'invalid_api_key']);
});

test('an engine that refuses the key is passed over for another replica, and then left out', async () => {
  const [bad, good] = [await engine(refuses), await engine(wellBehaved)];
  const gateway = await front(configFor([{ url: bad.url }, { url: good.url }]));
  for (let i = 0; i < 20; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(bad.seen.length).toBeGreaterThan(0);
  expect(bad.seen.length).toBeLessThanOrEqual(7);
  expect(await gateway.metric('berth_gateway_retries_total', 'reason="401"')).toBe(bad.seen.length);
});

test('a deployment whose key is refused is no end where its route has another one', async () => {
  const [bad, good] = [await engine(refuses), await engine(wellBehaved)];
  const routes = [
    {
      name: 'm',
      to: [{ deployment: 'd', weight: 1 }],
      aliasOf: null,
      fallback: { to: ['n'], on: ['unreachable' as const] },
    },
    { name: 'n', to: [{ deployment: 'e', weight: 1 }], aliasOf: null },
  ];
  const gateway = await front(configFor([{ url: bad.url }, { url: good.url, deployment: 'e' }], { routes }));
  const reply = await postChat(gateway.url);
  expect([reply.status, reply.headers.get('x-berth-route')]).toEqual([200, 'n']);
});
