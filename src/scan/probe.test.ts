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
        door: { tls: true, prefix: '/chat' },
        timeoutMs: 5000,
        signal: new AbortController().signal,
      },
    );
    expect(asked.state).toBe('answers');
    expect(asked.evidence).toContain(`GET https://127.0.0.1:${port}/chat/health: 200`);
  },
);
