import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ClusterPlace } from '../domain/host-access.ts';
import type { BerthError } from '../domain/errors/berth-error.ts';
import { localWorld } from '../io/local-world.ts';
import type { World } from '../io/world.ts';
import { applyObject, deleteObject, getObject, listObjects, Live } from './client.ts';
import type { Place } from './client.ts';
import { clusterWorld, placeOf } from './cluster-world.ts';
import type { KubeObject } from './object.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

interface Served {
  readonly url: string;
  readonly asked: {
    method: string;
    url: string;
    authorization: string | undefined;
    type: string | undefined;
  }[];
}

/** A server at the wire that says what the test says. */
async function serve(answer: Answer): Promise<Served> {
  const asked: Served['asked'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, authorization: headers.authorization, type: headers['content-type'] });
      answer(request, response, body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function inFolder(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth kube '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o755 });
  return folder;
}

function config(server: string, user: string): string {
  return `clusters: [{name: c, cluster: {server: "${server}"}}]
contexts: [{name: k3s, context: {cluster: c, user: u}}, {name: other, context: {cluster: gone, user: u}}]
users: [{name: u, user: ${user}}]
preferences: {}`;
}

async function clusterOf(folder: string, context = 'k3s', env: World['env'] = {}): Promise<Place> {
  const home: World = {
    ...localWorld(),
    env: { PATH: process.env['PATH'], KUBECONFIG: join(folder, 'config'), ...env },
  };
  return placeOf(await clusterWorld(home, ClusterPlace.parse({ context, namespace: 'llm' })));
}

async function placeAt(url: string, user = '{token: abc}'): Promise<Place> {
  return clusterOf(inFolder({ config: config(url, user) }));
}

const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'toy' } };
const services = { apiVersion: 'v1', kind: 'Service', labels: 'a=b' };

async function faultOf(asking: Promise<unknown>): Promise<BerthError> {
  return asking.then(
    () => {
      throw new Error('it was no fault');
    },
    (error: unknown) => error as BerthError,
  );
}

test('an object is applied by the server, in the name of berth, strictly and without force; a dry run says so', async () => {
  const { url, asked } = await serve((_request, response) =>
    json(response, 200, { metadata: { name: 'toy', uid: 'u1' } }),
  );
  const place = await placeAt(url);
  await applyObject(place, service);
  await applyObject(place, service, { dryRun: true, force: true });
  const path = '/api/v1/namespaces/llm/services/toy?fieldManager=berth&fieldValidation=Strict';
  expect(asked.map((one) => one.url)).toEqual([path, `${path}&force=true&dryRun=All`]);
  expect(asked[0]).toMatchObject({
    method: 'PATCH',
    type: 'application/apply-patch+yaml',
    authorization: 'Bearer abc',
  });
});

test('a conflict names each field and who owns it; a quota, a right and a namespace are told apart', async () => {
  const causes = [
    {
      reason: 'FieldManagerConflict',
      message: 'conflict with "kubectl" using apps/v1: .spec.replicas',
      field: '.spec.replicas',
    },
  ];
  const answers: [number, unknown][] = [
    [409, { message: 'Apply failed with 1 conflict', reason: 'Conflict', details: { causes } }],
    [403, { message: 'services "toy" is forbidden: exceeded quota: few', reason: 'Forbidden' }],
    [403, { message: 'services is forbidden: User "bob" cannot patch', reason: 'Forbidden' }],
    [404, { message: 'namespaces "llm" not found', details: { name: 'llm', kind: 'namespaces' } }],
    [404, {}],
    [500, { message: 'etcd is full.' }],
  ];
  const { url } = await serve((_request, response) => {
    const [status, value] = answers.shift() ?? [500, {}];
    json(response, status, value);
  });
  const place = await placeAt(url);
  const faults: BerthError[] = [];
  while (answers.length > 0) faults.push(await faultOf(applyObject(place, service)));
  expect(faults.map((one) => one.code)).toEqual([
    'KUBE_CONFLICT',
    'KUBE_QUOTA',
    'KUBE_FORBIDDEN',
    'KUBE_NAMESPACE_MISSING',
    'KUBE_KIND_MISSING',
    'KUBE_REFUSED',
  ]);
  expect(faults[0]?.message).toContain('spec.replicas (kubectl)');
  expect(faults[5]?.message).toContain('refuses "apply Service toy" with 500: etcd is full.');
});

test('a list is read page by page, and a kind that the cluster does not know has no objects', async () => {
  const { url, asked } = await serve(({ url: path = '' }, response) => {
    const second = path.includes('continue=more');
    const name = second ? 'b' : 'a';
    json(response, 200, {
      metadata: { continue: second ? '' : 'more' },
      items: [{ metadata: { name, uid: name } }, { strange: true }],
    });
  });
  const found = await listObjects(await placeAt(url), services, Live);
  expect(found.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  expect(asked).toHaveLength(2);
  const none = await serve((_request, response) => json(response, 404, { message: 'no such kind' }));
  expect(await listObjects(await placeAt(none.url), services, Live)).toEqual([]);
});

test('only the very object is deleted: another one of its name by now is no fault and stays', async () => {
  let sent = '';
  const { url } = await serve((_request, response, body) => {
    sent = body;
    json(response, 409, { message: 'the UID in the precondition does not match', reason: 'Conflict' });
  });
  await deleteObject(await placeAt(url), services, { name: 'toy', uid: 'u1' });
  expect(JSON.parse(sent)).toMatchObject({ preconditions: { uid: 'u1' }, propagationPolicy: 'Foreground' });
});

test('a server that is silent, gone, or answers nonsense is told as what it is', async () => {
  const { url } = await serve((_request, response) => response.end('<html>'));
  const place = await placeAt(url);
  expect((await faultOf(getObject(place, { ...services, name: 'toy' }, Live))).message).toContain(
    'what it answers has not the form of an object',
  );
  const silent = await serve(() => {});
  const late = (await placeAt(silent.url)).api.ask('GET', '/api', { timeoutMs: 50 });
  expect((await faultOf(late)).message).toContain('does not answer: it does not answer in time');
  const gone = await placeAt('http://127.0.0.1:9');
  expect((await faultOf(gone.api.ask('GET', '/api'))).message).toContain('does not answer: ECONNREFUSED');
  const cut = await serve((_request, response) => response.socket?.destroy());
  expect((await faultOf((await placeAt(cut.url)).api.ask('GET', '/api'))).code).toBe('KUBE_UNREACHABLE');
});

test('who is not known is told so, and a plugin that logs in is asked once more before that', async () => {
  const { url } = await serve(({ headers }, response) =>
    headers.authorization === 'Bearer token-2' ? json(response, 200, {}) : json(response, 401, {}),
  );
  expect((await faultOf((await placeAt(url)).api.ask('GET', '/api'))).code).toBe('KUBE_UNAUTHORIZED');
  const plugin = `#!/bin/sh
echo x >>"$COUNT"
n=$(wc -l <"$COUNT")
echo "{\\"status\\": {\\"token\\": \\"token-$((n))\\"}}"
`;
  const folder = inFolder({ login: plugin });
  const user = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, env: [{name: COUNT, value: "${folder}/count"}]}}`;
  writeFileSync(join(folder, 'config'), config(url, user));
  const place = await clusterOf(folder);
  expect((await place.api.ask('GET', '/api')).status).toBe(200);
  expect((await place.api.ask('GET', '/api')).status).toBe(200);
  writeFileSync(join(folder, 'login'), '#!/bin/sh\necho no card in the reader >&2\nexit 3\n');
  const fresh = await clusterOf(folder, 'k3s', { X: '1' });
  writeFileSync(join(folder, 'config'), config(`${url}/again`, user));
  const failing = await clusterOf(folder);
  expect(fresh.api).toBe(place.api);
  expect((await faultOf(failing.api.ask('GET', '/api'))).message).toContain(
    './login, which logs in for the context k3s, fails: no card in the reader',
  );
});

test('a plugin that asks for it is told of its cluster, and one that is not there is told with how it is installed', async () => {
  const { url } = await serve((_request, response) => json(response, 200, {}));
  const asked =
    '#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" >"$TOLD"\necho \'{"status": {"token": "t"}}\'\n';
  const folder = inFolder({ login: asked });
  function user(command: string, more: string): string {
    return `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${command}, env: [{name: TOLD, value: "${folder}/told"}]${more}}}`;
  }
  async function told(more: string): Promise<unknown> {
    const text = config(url, user('./login', more)).replace(
      `server: "${url}"`,
      `server: "${url}", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: berth}}]`,
    );
    writeFileSync(join(folder, 'config'), text);
    await (await clusterOf(folder)).api.ask('GET', '/api');
    return (JSON.parse(readFileSync(join(folder, 'told'), 'utf8')) as { spec: unknown }).spec;
  }
  expect(await told('')).toEqual({ interactive: false });
  expect(await told(', provideClusterInfo: true')).toEqual({
    interactive: false,
    cluster: { server: url, config: { audience: 'berth' } },
  });
  writeFileSync(
    join(folder, 'config'),
    config(`${url}/gone`, user('berth-no-plugin', ', installHint: "Install it\\n  by apt."')),
  );
  expect((await faultOf((await clusterOf(folder)).api.ask('GET', '/api'))).message).toBe(
    'berth-no-plugin, which logs in for the context k3s, fails: there is no such program (Install it by apt.).',
  );
});

test('a kubeconfig that lacks something is told with what it has, and never with a secret of it', async () => {
  const folder = inFolder({ config: config('https://c', '{username: a, password: s3cret}') });
  expect((await faultOf(clusterOf(folder, 'k4s'))).message).toContain('it has k3s, other');
  expect((await faultOf(clusterOf(folder, 'other'))).message).toContain('names a cluster that is not there');
  expect((await faultOf(clusterOf(folder))).message).toContain('logs in by a user name and a password');
  writeFileSync(join(folder, 'config'), 'users: {s3cret: [');
  const broken = await faultOf(clusterOf(folder));
  expect(broken.message).toContain('it is no YAML');
  expect(JSON.stringify(broken)).not.toContain('s3cret');
  rmSync(join(folder, 'config'));
  expect((await faultOf(clusterOf(folder))).code).toBe('KUBECONFIG_MISSING');
});
