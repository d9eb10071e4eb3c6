import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { makeAuthority, opensslMissing } from '../../test/support/certificates.ts';
import { localWorld } from '../io/local-world.ts';
import { probe } from './probe.ts';

test.skipIf(opensslMissing !== '')(
  `a server whose certificate nobody knows, behind a prefix, is asked as it says itself${opensslMissing}`,
  async () => {
    const { certFile, keyFile } = makeAuthority();
    const server = createServer(
      { cert: readFileSync(certFile), key: readFileSync(keyFile) },
      (request, response) => response.writeHead(request.url === '/chat/health' ? 200 : 404).end('{}'),
    );
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const asked = await probe(
      localWorld(),
      { address: '0.0.0.0', port, netns: '1', here: true },
      {
        candidates: [],
        door: { tls: true, mutual: false, prefix: '/chat' },
        timeoutMs: 5000,
        signal: new AbortController().signal,
      },
    );
    expect(asked.state).toBe('answers');
    expect(asked.evidence).toContain(`GET https://127.0.0.1:${port}/chat/health: 200`);
  },
);

test.skipIf(opensslMissing !== '').each([
  { version: 'TLSv1.3' as const, mutual: false, state: 'answers', keyed: true },
  { version: 'TLSv1.2' as const, mutual: true, state: 'answers', keyed: true },
  // There nothing but the server's own words tells it from a fault.
  { version: 'TLSv1.2' as const, mutual: false, state: 'silent', keyed: null },
])(
  `a server that wants a certificate of its clients by $version is one that $state (told by its flags: $mutual)${opensslMissing}`,
  async ({ version, mutual, state, keyed }) => {
    const { certFile, keyFile, cert } = makeAuthority();
    const [shown, key] = [readFileSync(certFile), readFileSync(keyFile)];
    const wants = { requestCert: true, rejectUnauthorized: true, ca: cert };
    const versions = { minVersion: version, maxVersion: version };
    const server = createServer({ cert: shown, key, ...wants, ...versions }, (_, response) =>
      response.end('{}'),
    );
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const asked = await probe(
      localWorld(),
      { address: '127.0.0.1', port, netns: '1', here: true },
      {
        candidates: [],
        door: { tls: true, mutual, prefix: '' },
        timeoutMs: 5000,
        signal: new AbortController().signal,
      },
    );
    expect(asked).toMatchObject({ state, keyed, served: [], engine: null });
    const told = `GET https://127.0.0.1:${port}/health: it asks for a certificate of its clients`;
    expect(asked.evidence.includes(told)).toBe(state === 'answers');
  },
);
