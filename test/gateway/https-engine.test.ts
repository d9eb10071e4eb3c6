import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/io/clock.ts';
import { makeAuthority, opensslMissing } from '../support/certificates.ts';
import type { Made } from '../support/certificates.ts';
import { chatEvent, doneEvent, startFakeUpstream, wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Script, Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, movableClock, postChat, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

interface TlsEngine {
  readonly port: number;
  /** Names that clients asked for in their handshakes, one for each connection. */
  readonly names: string[];
  /** Protocols that were agreed on. */
  readonly protocols: (string | false | null)[];
  readonly requests: () => number;
  /** Requests whose client left before the reply was whole. */
  readonly cut: () => number;
}

/** An engine behind TLS, by Node's own server: answers at once, or streams three events; "endless" is streamed until the client leaves. */
async function tlsEngine(made: Made): Promise<TlsEngine> {
  const names: string[] = [];
  const protocols: (string | false | null)[] = [];
  let [requests, cut] = [0, 0];
  const identity = { cert: readFileSync(made.certFile), key: readFileSync(made.keyFile) };
  const server = https.createServer(
    {
      ...identity,
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => {
        names.push(name);
        done(null, createSecureContext(identity));
      },
    },
    (request, response) => {
      requests += 1;
      response.on('close', () => (cut += response.writableFinished ? 0 : 1));
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        const asked = JSON.parse(body) as { stream?: boolean; user?: string };
        response.setHeader('content-type', asked.stream ? 'text/event-stream' : 'application/json');
        if (!asked.stream) response.end('{"ok":true}');
        else if (asked.user === 'endless') response.write(chatEvent('begun'));
        else response.end(['Hel', 'lo', '!'].map(chatEvent).join('') + doneEvent);
      });
    },
  );
  server.on('secureConnection', (socket: TLSSocket) => protocols.push(socket.alpnProtocol));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    names,
    protocols,
    requests: () => requests,
    cut: () => cut,
  };
}

/** A gateway before one engine behind TLS that is scripted at the wire. */
async function behindTls(
  script: Script,
  { clock, ...more }: Parameters<typeof configFor>[1] & { clock?: Clock } = {},
): Promise<{ upstream: FakeUpstream; gateway: RunningGateway }> {
  const authority = makeAuthority();
  const made = authority.issue('engine');
  const identity = { cert: made.cert, key: readFileSync(made.keyFile, 'utf8') };
  const upstream = await startFakeUpstream(script, 0, identity);
  onTestFinished(() => upstream.stop());
  const config = configFor([{ url: upstream.url, caFile: authority.certFile }], more);
  return { upstream, gateway: await front(config, clock ? { clock } : {}) };
}

describe.skipIf(opensslMissing !== '')(`an engine behind TLS${opensslMissing}`, () => {
  test('is asked by its name over a connection that is used again, and trusted by the authorities of its own', async () => {
    const authority = makeAuthority();
    const upstream = await tlsEngine(authority.issue('engine'));
    const gateway = await front(
      configFor([{ url: `https://localhost:${upstream.port}`, caFile: authority.certFile }]),
    );
    expect(await (await postChat(gateway.url)).json()).toEqual({ ok: true });
    expect(await (await postChat(gateway.url)).json()).toEqual({ ok: true });
    const stream = await postChat(gateway.url, { stream: true, stream_options: { include_usage: true } });
    expect(await stream.text()).toBe(['Hel', 'lo', '!'].map(chatEvent).join('') + doneEvent);
    expect(upstream.requests()).toBe(3);
    expect([upstream.names, upstream.protocols]).toEqual([['localhost'], ['http/1.1']]);
  });

  test('is freed when the client leaves in the middle of a stream', async () => {
    const authority = makeAuthority();
    const upstream = await tlsEngine(authority.issue('engine'));
    const gateway = await front(
      configFor([{ url: `https://localhost:${upstream.port}`, caFile: authority.certFile, slots: 1 }]),
    );
    const leaving = new AbortController();
    const reply = await postChat(gateway.url, { stream: true, user: 'endless' }, { signal: leaving.signal });
    await reply.body?.getReader().read();
    leaving.abort();
    await until('the engine is freed', () => upstream.cut() === 1);
    expect((await postChat(gateway.url)).status).toBe(200);
  });

  const bad: readonly [
    string,
    (authority: ReturnType<typeof makeAuthority>) => { made: Made; caFile?: string },
    string,
  ][] = [
    [
      'comes from no authority that is known',
      (authority) => ({ made: authority.issue('engine') }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'has expired',
      (authority) => ({ made: authority.issue('engine', { days: -1 }), caFile: authority.certFile }),
      'CERT_HAS_EXPIRED',
    ],
    [
      'is for another name',
      (authority) => ({
        made: authority.issue('engine', { names: 'DNS:other.example' }),
        caFile: authority.certFile,
      }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ];

  test.each(bad)(
    'whose certificate %s is not sent a request, and the 502 says why',
    async (_what, shape, code) => {
      const authority = makeAuthority();
      const { made, caFile } = shape(authority);
      const upstream = await tlsEngine(made);
      const gateway = await front(
        configFor([{ url: `https://localhost:${upstream.port}`, ...(caFile ? { caFile } : {}) }]),
      );
      const reply = await postChat(gateway.url);
      expect(reply.status).toBe(502);
      expect(await errorOf(reply)).toMatchObject({
        code: 'upstream_failed',
        message: `No TLS connection came about with the upstream (${code}).`,
      });
      expect(upstream.requests()).toBe(0);
    },
  );

  test('that cannot be trusted is left aside as long as another can serve', async () => {
    const authority = makeAuthority();
    const upstream = await tlsEngine(authority.issue('engine'));
    const plain = await engine(wellBehaved);
    const gateway = await front(
      configFor([{ url: `https://localhost:${upstream.port}` }, { url: plain.url }]),
    );
    for (let i = 0; i < 4; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
    expect([upstream.requests(), plain.seen.length]).toEqual([0, 4]);
  });

  test('may take as long as it wants to begin its reply, and not for a head that it has begun', async () => {
    const clock = movableClock();
    const held: Turn[] = [];
    const { upstream, gateway } = await behindTls((turn) => void held.push(turn), {
      limits: { idleMs: 120_000, connectMs: 5000 },
      clock,
    });
    const reads = postChat(gateway.url);
    await until('the engine reads one prompt', () => held.length === 1);
    const falters = postChat(gateway.url);
    await until('the engine reads the other', () => held.length === 2);
    held[1]?.write('HTTP/1.1 200 OK\r\nX-Half: ');
    let answered = false;
    void falters.then(() => (answered = true));
    await until('time has passed for both', () => {
      clock.advance(3_600_000);
      return answered;
    });
    expect((await falters).status).toBe(504);
    expect((await errorOf(await falters)).code).toBe('upstream_timeout');
    await until('the engine was cut off', () => upstream.seen[1]?.cut === true);
    wellBehaved(held[0] as Turn);
    expect((await reads).status).toBe(200);
  });

  const broken: Record<string, Script> = {
    'before the head': (turn) => turn.reset(),
    'with a head and a broken first chunk in one': (turn) =>
      turn.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}'),
  };

  test.each(Object.keys(broken))('that dies %s gives a 502, once', async (name) => {
    const { upstream, gateway } = await behindTls(broken[name] as Script);
    const reply = await postChat(gateway.url);
    expect([reply.status, (await errorOf(reply)).code]).toEqual([502, 'upstream_failed']);
    expect(upstream.seen).toHaveLength(1);
    upstream.setScript(wellBehaved);
    expect((await postChat(gateway.url)).status).toBe(200);
  });

  test('that closed a kept connection while a request was on its way is asked again over a new one', async () => {
    const { upstream, gateway } = await behindTls(wellBehaved);
    expect((await postChat(gateway.url)).status).toBe(200);
    upstream.setScript((turn) => {
      upstream.setScript(wellBehaved);
      turn.reset();
    });
    expect((await postChat(gateway.url)).status).toBe(200);
    expect([upstream.seen.length, upstream.connections()]).toEqual([3, 2]);
  });

  test('gets bodies of any size whole, and has its own passed on whole', async () => {
    const long = 'ä'.repeat(700_000);
    const { upstream, gateway } = await behindTls((turn) => turn.json(200, { echo: turn.request.body }));
    const reply = await postChat(gateway.url, { messages: [{ role: 'user', content: long }] });
    const { echo } = (await reply.json()) as { echo: string };
    expect(echo).toBe(upstream.seen[0]?.body);
    expect(echo).toContain(long);
  });

  test('whose file of authorities is missing is told by its path', async () => {
    await expect(
      front(configFor([{ url: 'https://localhost:1', caFile: '/no/such/ca.pem' }])),
    ).rejects.toMatchObject({
      code: 'FILE_MISSING',
      facts: { path: '/no/such/ca.pem' },
    });
  });
});
