import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kubeconfigFor } from '../../../test/support/slice-server.ts';
import { ClusterPlace } from '../../domain/host-access.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import type { Place } from '../../kube/client.ts';
import { clusterWorld, placeOf } from '../../kube/cluster-world.ts';
import { changedInCluster, reasonOf } from './live-secrets.ts';

const home: World = { ...localWorld(), env: { KEY: 'here', YAML: 'same' } };
const secrets = { key: { env: 'KEY' }, yaml: { env: 'YAML' }, gone: { env: 'NOT_SET' } };

/** A namespace whose server answers every question so. */
async function answering(status: number, body: object): Promise<Place> {
  const server = createServer((_request, reply) => {
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const folder = mkdtempSync(join(tmpdir(), 'berth kube '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'config'), kubeconfigFor(url));
  const world = { ...home, env: { ...home.env, KUBECONFIG: join(folder, 'config') } };
  return placeOf(await clusterWorld(world, ClusterPlace.parse({ context: 'k3s', namespace: 'llm' })));
}

function holding(data: Record<string, string>): object {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { metadata: { name: 's', uid: 'u' }, data: Object.fromEntries(encoded) as object };
}

async function changed(place: Place): Promise<string[]> {
  function textOf(name: string, value: string): string {
    return name === 'yaml' ? `api-key: "${value}"\n` : value;
  }
  const found = await changedInCluster(home, place, { name: 's', secrets, textOf });
  return found.map((one) => reasonOf(one, 'restart').text);
}

test('a Secret that others have applied is held against what lies here, without a line end and without a word of it', async () => {
  const other = await answering(200, holding({ key: 'there', yaml: 'api-key: "same"', gone: 'x' }));
  expect(await changed(other)).toEqual(['secret KEY changed: restart']);
  const same = await answering(200, holding({ key: 'here', yaml: 'api-key: "same"\n' }));
  expect(await changed(same)).toEqual([]);
});

test('of a Secret that is not there, or that nobody may read, nothing is said', async () => {
  expect(await changed(await answering(404, { message: 'secrets "s" not found' }))).toEqual([]);
  expect(await changed(await answering(403, { message: 'secrets "s" is forbidden' }))).toEqual([]);
});
