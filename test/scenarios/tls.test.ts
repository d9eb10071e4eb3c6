import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import type { FakeUpstream } from '../gateway/fake-upstream.ts';
import { chat } from '../gateway/harness.ts';
import type { OverheadReport } from '../../src/bench/overhead/report.ts';
import type { Report } from '../../src/domain/run/report.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { makeAuthority, opensslMissing } from '../support/certificates.ts';
import type { Made } from '../support/certificates.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let upstream: FakeUpstream;

beforeEach(async () => {
  place = makePlace();
  upstream = await startFakeUpstream(wellBehaved);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await upstream.stop();
});

function fleet(id: string, { certFile, keyFile }: Made): string {
  return `version: 1
fleet: lab
id: "${id}"
gateway:
  listen: ["127.0.0.1:0"]
  tls: {cert: ${JSON.stringify(certFile)}, key: ${JSON.stringify(keyFile)}}
console: {listen: "127.0.0.1:0"}
deployments:
  far: {engine: {kind: openai, url: "${upstream.url}", servedModel: far}}
benchmarks:
  door: {of: far, via: gateway, profile: {kind: synchronous}, data: {prompt: 16, output: 4}, requests: 2, warmup: 0, calibrate: false}
`;
}

/** The status of a chat over TLS. */
function ask(url: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/v1/chat/completions`, { ca, method: 'POST', agent: false }, (reply) => {
      reply.resume().on('end', () => resolve(reply.statusCode ?? 0));
    })
      .on('error', reject)
      .end(chat({ model: 'far' }));
  });
}

describe.skipIf(opensslMissing !== '')(`a fleet behind TLS${opensslMissing}`, () => {
  test('is served at an https address, and its console reaches it all the same', async () => {
    const authority = makeAuthority();
    place.write(fleet(randomBytes(8).toString('hex'), authority.issue('gateway')));
    const up = await place.berth('up', '--detach', '--json');
    expect(up.code, up.stderr).toBe(0);
    const state = up.json() as { gateway: { url: string }; console: { url: string } };
    expect(state.gateway.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await ask(state.gateway.url, authority.cert)).toBe(200);
    const [, token = ''] = /#token=(\S+)/.exec((await place.berth('console')).stdout) ?? [];
    const models = await fetch(`${state.console.url}/api/models`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await models.json()).toMatchObject({ data: [{ id: 'far' }] });
    const verified = await place.berth('verify', '--json');
    expect([verified.code, verified.json()]).toMatchObject([
      0,
      {
        checks: [
          { check: 'ready' },
          { check: 'answers' },
          { check: 'route', at: expect.stringContaining('far') },
        ],
      },
    ]);
    const measured = await place.berth('bench', 'door', '--json');
    // Whether so few requests had a client that kept up is the machine's doing.
    expect([0, 5], measured.stderr).toContain(measured.code);
    const [run] = (measured.json() as { runs: { report: Report }[] }).runs;
    expect(run?.report.stages[0]?.requests).toMatchObject({ ok: 2, failed: 0 });
    expect(run?.report.spec.target.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(measured.stdout).not.toContain(token);
    const args = ['gateway', 'bench', 'far', '--pairs', '10', '--no-nginx', '--json'];
    const overhead = await place.berth(...args);
    expect(overhead.code, overhead.stderr).toBe(0);
    const { rows, notes } = overhead.json() as OverheadReport;
    expect(rows.map(({ name, requests }) => [name, requests])).toContainEqual(['gateway', 10]);
    expect(notes.join(' ')).toContain('What TLS costs is not in it');
  });

  test('shows a first request that can be pasted: with the authority, a certificate of the client, and a key', async () => {
    const made = makeAuthority().issue('gateway');
    const text = fleet(randomBytes(8).toString('hex'), made).replace(
      'tls: {',
      `tls: {clientCa: ${JSON.stringify(made.certFile)}, `,
    );
    place.write(text);
    expect((await place.berth('keys', 'add', 'me')).code).toBe(0);
    const up = place.spawn('up');
    await vi.waitFor(() => expect(up.output().stdout).toContain('curl '), { timeout: 60_000 });
    const shown = up.output().stdout;
    expect(shown).toContain('Try it, with a key of "berth keys add" in BERTH_KEY:');
    expect(shown).toContain(` --cacert '${made.certFile}' --cert YOUR.pem --key YOUR-KEY.pem `);
    expect(shown).toContain(' -H "Authorization: Bearer $BERTH_KEY" ');
    await upstream.stop();
    const dead = await place.berth('gateway', 'bench', 'far', '--pairs', '10', '--no-nginx');
    expect(dead.stderr).toContain('no replica of it is ready');
    expect(dead.stderr).not.toContain('starts it');
  });

  test('whose certificate has expired is told by validate at its place, with the cure', async () => {
    const authority = makeAuthority();
    place.write(fleet('abcd1234', authority.issue('old', { days: -1 })));
    const ran = await place.berth('validate');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(
      /berth\.yaml:6:15: gateway\.tls\.cert: .*old\.crt cannot be used: it expired at .*\n +Renew it\./,
    );
  });
});
