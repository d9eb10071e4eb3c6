import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import { localWorld } from '../../src/io/local-world.ts';
import type { World } from '../../src/io/world.ts';
import type { Place } from '../../src/kube/client.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';

/** One question that a test's API server was asked; `key` is its method and path, without what follows a "?". */
export interface Asked {
  readonly key: string;
  /** What follows the "?". */
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly body: unknown;
}

/** An API server at the wire that says what a test says, and 404 to all else; it ends with the test. */
export async function servedCluster(
  answer: (asked: Asked) => readonly [status: number, json: unknown] | undefined,
  { clock }: { clock?: World['clock'] } = {},
): Promise<{ world: World; place: Place; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const one: Asked = {
        key: `${request.method} ${(request.url ?? '').split('?')[0]}`,
        query: new URL(request.url ?? '', 'http://server').searchParams,
        accept: request.headers.accept ?? '',
        body: text === '' ? null : JSON.parse(text),
      };
      asked.push(one);
      const [status, json] = answer(one) ?? [404, { kind: 'Status', message: 'it is not found' }];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const folder = mkdtempSync(join(tmpdir(), 'berth-kube-'));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const config = `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}"}}]
contexts: [{name: k3s, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]`;
  writeFileSync(join(folder, 'config'), config);
  const local = localWorld();
  const env = { KUBECONFIG: join(folder, 'config') };
  const home: World = { ...local, env, clock: clock ?? local.clock };
  const world = await clusterWorld(home, ClusterPlace.parse({ context: 'k3s', namespace: 'llm' }));
  return { world, place: await placeOf(world), asked };
}
