import { cp, readFile, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { makeAuthority, opensslMissing } from '../support/certificates.ts';
import type { Made } from '../support/certificates.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, dial, engine, front, post, sha256, until } from './harness.ts';

function tlsOf(made: Made, clientCaFile: string | null = null): NonNullable<GatewayConfig['tls']> {
  return { certFile: made.certFile, keyFile: made.keyFile, clientCaFile };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Common name of the certificate that the server showed. */
  readonly shown: string;
}

/** One request over TLS of its own, by Node's own client. */
function ask(port: number, options: https.RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', port, agent: false, method: body ? 'POST' : 'GET', ...options },
      (reply) => {
        const shown = String((reply.socket as TLSSocket).getPeerCertificate().subject.CN);
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text, shown })).on('error', reject);
      },
    );
    request.on('error', reject).end(body);
  });
}

function chatOver(port: number, ca: string, more: Record<string, unknown> = {}): Promise<Answer> {
  return ask(port, { ca, path: '/v1/chat/completions' }, chat(more));
}

describe.skipIf(opensslMissing !== '')(`the gateway over TLS${opensslMissing}`, () => {
  test('serves streams and plain replies, and nothing in the clear or below TLS 1.2', async () => {
    const authority = makeAuthority();
    const upstream = await engine(wellBehaved);
    const gateway = await front(configFor([{ url: upstream.url }], { tls: tlsOf(authority.issue('one')) }));
    expect((await chatOver(gateway.port, authority.cert)).status).toBe(200);
    expect((await chatOver(gateway.port, authority.cert, { stream: true })).text).toContain('data: [DONE]');
    await expect(ask(gateway.port, { path: '/healthz' })).rejects.toThrow(/certificate|issuer/);
    const plain = await dial(gateway.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await plain.closed;
    expect(plain.text()).not.toContain('200');
    const old = connect({
      port: gateway.port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ca: authority.cert,
    });
    const fault = await new Promise<Error | null>((resolve) => {
      old.once('error', resolve).once('secureConnect', () => resolve(null));
    });
    old.destroy();
    expect(fault).not.toBeNull();
  });

  test('a certificate that is replaced is shown to new connections, and a stream under way goes on', async () => {
    const authority = makeAuthority();
    const held: Turn[] = [];
    const upstream = await engine((turn) => {
      held.push(turn);
      turn.stream();
      turn.chunk(chatEvent('begun'));
    });
    const [first, second] = [authority.issue('first'), authority.issue('second')];
    const gateway = await front(configFor([{ url: upstream.url }], { tls: tlsOf(first) }));
    const stream = chatOver(gateway.port, authority.cert, { stream: true });
    await until('it is served', () => held.length === 1);
    await cp(second.certFile, first.certFile);
    await cp(second.keyFile, first.keyFile);
    await until('the new one is shown', async () => {
      const { shown } = await ask(gateway.port, { ca: authority.cert, path: '/healthz' });
      return shown === 'second';
    });
    held[0]?.chunk(chatEvent('finished'));
    held[0]?.endChunks();
    expect(await stream).toMatchObject({ shown: 'first', text: expect.stringContaining('finished') });
  });

  test('a replacement that cannot be used is told in the log, and the old certificate stays', async () => {
    const authority = makeAuthority();
    const told: string[] = [];
    const log = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (message: string, fields = {}) => void told.push(`${message} ${JSON.stringify(fields)}`),
    };
    const [first, other] = [authority.issue('first'), authority.issue('other')];
    const gateway = await startGateway(localWorld({ log }), configFor([], { routes: [], tls: tlsOf(first) }));
    onTestFinished(() => gateway.close());
    const port = gateway.listen[0]?.port ?? 0;
    await cp(other.keyFile, first.keyFile);
    await until('it is told', () => told.length > 0);
    expect(told[0]).toMatch(/cannot be used.*not the key of the certificate/);
    expect((await ask(port, { ca: authority.cert, path: '/healthz' })).shown).toBe('first');
  });

  test('a reload takes other files, and with faulty ones leaves everything as it was', async () => {
    const authority = makeAuthority();
    const upstream = await engine(wellBehaved);
    const [first, second, expired] = [
      authority.issue('first'),
      authority.issue('second'),
      authority.issue('expired', { days: -1 }),
    ];
    const config = configFor([{ url: upstream.url }], { tls: tlsOf(first) });
    const gateway = await front(config);
    await expect(gateway.reload({ ...config, routes: [], tls: tlsOf(expired) })).rejects.toMatchObject({
      code: 'TLS_UNUSABLE',
      facts: { setting: 'cert', reason: expect.stringMatching(/^it expired at 20/) },
    });
    expect(await chatOver(gateway.port, authority.cert)).toMatchObject({ status: 200, shown: 'first' });
    await gateway.reload({ ...config, tls: tlsOf(second) });
    const now = gateway.listen[0]?.port ?? 0;
    expect(await chatOver(now, authority.cert)).toMatchObject({ status: 200, shown: 'second' });
  });

  const unusable: readonly [
    string,
    string,
    (made: Made, other: Made) => Promise<NonNullable<GatewayConfig['tls']>>,
    RegExp,
  ][] = [
    [
      'a missing certificate',
      'cert',
      async (made) => ({ ...tlsOf(made), certFile: '/no/such.crt' }),
      /no such file/,
    ],
    [
      'a key in place of the certificate',
      'cert',
      async (made) => ({ ...tlsOf(made), certFile: made.keyFile }),
      /no certificate in PEM/,
    ],
    [
      'a certificate in place of the key',
      'key',
      async (made) => ({ ...tlsOf(made), keyFile: made.certFile }),
      /no private key in PEM/,
    ],
    [
      'the key of another certificate',
      'key',
      async (made, other) => ({ ...tlsOf(made), keyFile: other.keyFile }),
      /not the key of the certificate/,
    ],
    [
      'an authority that is none',
      'clientCa',
      async (made) => tlsOf(made, made.keyFile),
      /no certificate in PEM/,
    ],
    [
      'a key behind a passphrase',
      'key',
      async (made) => {
        await writeFile(
          made.keyFile,
          '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkqhkiG9w0BBQ0=\n-----END ENCRYPTED PRIVATE KEY-----\n',
        );
        return tlsOf(made);
      },
      /locked by a passphrase/,
    ],
  ];

  test.each(unusable)(
    '%s is refused with its path, the reason and a cure',
    async (_name, setting, spoil, reason) => {
      const authority = makeAuthority();
      const tls = await spoil(authority.issue('one'), authority.issue('other'));
      await expect(startGateway(localWorld(), configFor([], { routes: [], tls }))).rejects.toMatchObject({
        code: 'TLS_UNUSABLE',
        cure: expect.stringMatching(/\w/),
        facts: { setting, path: expect.stringContaining('/'), reason: expect.stringMatching(reason) },
      });
    },
  );

  test('with authorities for clients, only who shows a certificate of theirs gets in', async () => {
    const [authority, foreign] = [makeAuthority(), makeAuthority()];
    const upstream = await engine(wellBehaved);
    const gateway = await front(
      configFor([{ url: upstream.url }], { tls: tlsOf(authority.issue('one'), authority.certFile) }),
    );
    const ca = authority.cert;
    async function as(who: Made): Promise<number> {
      const [cert, key] = await Promise.all([readFile(who.certFile), readFile(who.keyFile)]);
      return (await ask(gateway.port, { ca, cert, key, path: '/v1/chat/completions' }, chat())).status;
    }
    expect(await as(authority.issue('client'))).toBe(200);
    await expect(as(foreign.issue('client'))).rejects.toThrow(refused);
    await expect(chatOver(gateway.port, ca)).rejects.toThrow(refused);
    expect(upstream.seen.length).toBe(1);
  });

  test('who is let in by authorities that are replaced is not by a session of that time', async () => {
    const [authority, next] = [makeAuthority(), makeAuthority()];
    const server = authority.issue('one');
    const { url } = await engine(wellBehaved);
    const gateway = await front(configFor([{ url }], { tls: tlsOf(server, authority.certFile) }));
    const client = authority.issue('client');
    const own = { cert: await readFile(client.certFile), key: await readFile(client.keyFile) };
    const head = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    function as(session?: Buffer): Promise<{ text: string; reused: boolean; session?: Buffer | undefined }> {
      return new Promise((resolve) => {
        let [text, reused, kept] = ['', false, undefined as Buffer | undefined];
        const options = { host: '127.0.0.1', port: gateway.port, ca: authority.cert, ...own };
        const socket = connect({ ...options, ...(session && { session }) }, () => {
          reused = socket.isSessionReused();
          socket.write(head);
        });
        socket.on('session', (one: Buffer) => (kept = one)).on('error', () => {});
        socket.setEncoding('utf8').on('data', (part: string) => (text += part));
        socket.on('close', () => resolve({ text, reused, session: kept }));
      });
    }
    const { session } = await as();
    expect(session).toBeDefined();
    expect(await as(session)).toMatchObject({ text: expect.stringContaining('200 OK'), reused: true });
    await gateway.reload(configFor([{ url }], { tls: tlsOf(server, next.certFile) }));
    expect(await as(session)).toMatchObject({ text: '', reused: false });
  });

  test('connections that were let in by authorities which are replaced end with what they have begun', async () => {
    const [authority, next] = [makeAuthority(), makeAuthority()];
    const [server, renewed] = [authority.issue('one'), authority.issue('two')];
    const held: Turn[] = [];
    const { url } = await engine((turn) => {
      held.push(turn);
      turn.stream();
      turn.chunk(chatEvent('begun'));
    });
    const gateway = await front(configFor([{ url }], { tls: tlsOf(server, authority.certFile) }));
    const client = authority.issue('client');
    const own = { cert: await readFile(client.certFile), key: await readFile(client.keyFile) };
    function open(send: string): { socket: TLSSocket; text: () => string; ended: Promise<void> } {
      const socket = connect({ host: '127.0.0.1', port: gateway.port, ca: authority.cert, ...own });
      onTestFinished(() => void socket.destroy());
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      const ended = new Promise<void>((resolve) => socket.once('end', resolve));
      socket.on('error', ignore).write(send);
      return { socket, text: () => text, ended };
    }
    const health = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const idle = open(health);
    const busy = open(post('/v1/chat/completions', chat({ stream: true })));
    await until('one is idle', () => idle.text().includes('"ok"'));
    await until('one streams', () => busy.text().includes('begun'));
    // Another certificate of the gateway's own concerns no client.
    await gateway.reload(configFor([{ url }], { tls: tlsOf(renewed, authority.certFile) }));
    idle.socket.write(health);
    await until('it is answered again', () => idle.text().split('"ok"').length === 3);
    await gateway.reload(configFor([{ url }], { tls: tlsOf(renewed, next.certFile) }));
    await idle.ended;
    held[0]?.chunk(chatEvent('finished'));
    held[0]?.endChunks();
    await busy.ended;
    expect(busy.text()).toMatch(/finished[^]*\r\n0\r\n\r\n$/);
    const again = open(health);
    await new Promise<void>((resolve) => again.socket.once('close', () => resolve()));
    expect(again.text()).toBe('');
  });

  test('a certificate with the name of a key stands for that key, where this is wanted, and no key of control is reached so', async () => {
    const authority = makeAuthority();
    const { url } = await engine(wellBehaved);
    const tls = { ...tlsOf(authority.issue('one'), authority.certFile), clientNames: true };
    const keys = [
      { id: 'k1', name: 'ci', sha256: sha256('ci'), models: ['other'] },
      { id: 'k2', name: 'app', sha256: sha256('app') },
      { id: 'k3', name: 'root', sha256: sha256('root'), control: true },
    ];
    const gateway = await front(configFor([{ url }], { tls, keys }));
    const ca = authority.cert;
    async function as(name: string, key?: string): Promise<number> {
      const who = authority.issue(name);
      const [cert, own] = await Promise.all([readFile(who.certFile), readFile(who.keyFile)]);
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const options = { ca, cert, key: own, path: '/v1/chat/completions', headers };
      return (await ask(gateway.port, options, chat())).status;
    }
    expect(await as('app')).toBe(200);
    expect(await as('ci')).toBe(403);
    expect(await as('nobody')).toBe(401);
    expect(await as('root')).toBe(401);
    expect([await as('app', 'wrong'), await as('nobody', 'app')]).toEqual([401, 200]);
    await gateway.reload(configFor([{ url }], { tls: { ...tls, clientNames: false }, keys }));
    expect(await as('app')).toBe(401);
  });

  test('the address inside speaks plain HTTP, to keys of control alone', async () => {
    const authority = makeAuthority();
    const upstream = await engine(wellBehaved);
    const keys = [
      { id: 'own', name: 'own', sha256: sha256('own'), control: true },
      { id: 'usual', name: 'usual', sha256: sha256('usual') },
    ];
    const config = configFor([{ url: upstream.url }], {
      tls: tlsOf(authority.issue('one')),
      anonymous: true,
      keys,
      listen: [
        { address: '127.0.0.1', port: 0 },
        { address: '127.0.0.1', port: 0, inside: true },
      ],
    });
    const gateway = await front(config);
    const inside = gateway.listen.find((one) => one.inside);
    async function status(path: string, key?: string): Promise<number> {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      return (await fetch(`http://127.0.0.1:${inside?.port}${path}`, { headers })).status;
    }
    expect([await status('/metrics', 'own'), await status('/v1/models', 'own')]).toEqual([200, 200]);
    for (const path of ['/metrics', '/v1/models', '/healthz'])
      expect([await status(path), await status(path, 'usual')], path).toEqual([401, 403]);
    expect((await chatOver(gateway.port, authority.cert)).status).toBe(200);
  });
});

/** A client may learn of the refusal by its alert, or see the connection end first. */
const refused = /alert|certificate|ECONNRESET|EPIPE|socket hang up|disconnected/;

function ignore(): void {}
