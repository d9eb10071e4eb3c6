import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { unobserved } from '../../src/domain/observe-config.ts';
import { makeAuthority, opensslMissing } from '../support/certificates.ts';
import { wellBehaved } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, postChat, readMetric, until } from './harness.ts';

describe.skipIf(opensslMissing !== '')(`a collector behind TLS${opensslMissing}`, () => {
  test.each([
    ['gets spans where its authority is named by NODE_EXTRA_CA_CERTS', true, 'exported'],
    ['gets none where nobody vouches for it', false, 'dropped'],
  ])('%s', async (_, isTrusted, result) => {
    const authority = makeAuthority();
    const own = authority.issue('collector');
    let asked = 0;
    const server = createServer(
      { cert: readFileSync(own.certFile), key: readFileSync(own.keyFile) },
      (request, response) => {
        asked += 1;
        request.resume().on('end', () => response.writeHead(200).end('{}'));
      },
    );
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    onTestFinished(() => new Promise<void>((done) => void server.close(() => done())));
    const otlp = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const upstream = await engine(wellBehaved);
    const observe = { ...unobserved, tracing: { otlp, sample: 1, service: 'test' } };
    if (isTrusted) vi.stubEnv('NODE_EXTRA_CA_CERTS', authority.certFile);
    const program = await runProgram(configFor([{ url: upstream.url }], { observe }));
    vi.unstubAllEnvs();
    const url = await program.url();
    expect((await postChat(url)).status).toBe(200);
    await until('its spans are done with', async () => {
      return (await readMetric(url, 'berth_gateway_trace_spans_total', `result="${result}"`)) === 3;
    });
    expect(asked > 0).toBe(isTrusted);
  });
});
