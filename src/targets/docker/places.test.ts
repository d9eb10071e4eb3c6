import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { daemonOf, daemonsHere } from './daemon.ts';
import { daemonPlaces, sshCommand } from './places.ts';

interface Context {
  readonly host: string;
  readonly skip?: boolean;
  /** Files of its TLS by name. */
  readonly tls?: Readonly<Record<string, string>>;
}

/** A user with these contexts of Docker, of whom `current` is chosen. */
function userWith(
  contexts: Readonly<Record<string, Context>>,
  { current, env = {} }: { current?: string; env?: World['env'] } = {},
): World {
  const folder = mkdtempSync(join(tmpdir(), 'berth-contexts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ currentContext: current }));
  for (const [name, { host, skip = false, tls = {} }] of Object.entries(contexts)) {
    const id = createHash('sha256').update(name).digest('hex');
    const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: skip } } };
    mkdirSync(join(folder, 'contexts/meta', id), { recursive: true });
    writeFileSync(join(folder, 'contexts/meta', id, 'meta.json'), JSON.stringify(meta));
    mkdirSync(join(folder, 'contexts/tls', id, 'docker'), { recursive: true });
    for (const [file, text] of Object.entries(tls))
      writeFileSync(join(folder, 'contexts/tls', id, 'docker', file), text);
  }
  return { ...localWorld(), env: { DOCKER_CONFIG: folder, ...env } };
}

async function placesOf(world: World): Promise<readonly string[]> {
  return (await daemonPlaces(world)).all;
}

test('DOCKER_HOST counts before DOCKER_CONTEXT, and that before the context that was chosen', async () => {
  const contexts = { one: { host: 'unix:///one.sock' }, two: { host: 'tcp://two:2375' } };
  expect(await placesOf(userWith(contexts, { current: 'one' }))).toEqual(['unix:///one.sock']);
  const env = { DOCKER_CONTEXT: 'two' };
  expect(await placesOf(userWith(contexts, { current: 'one', env }))).toEqual(['tcp://two:2375']);
  const both = { ...env, DOCKER_HOST: 'unix:///told.sock' };
  expect(await placesOf(userWith(contexts, { current: 'one', env: both }))).toEqual(['unix:///told.sock']);
  expect(await placesOf(userWith(contexts))).toContain('unix:///var/run/docker.sock');
  const usual = userWith(contexts, { current: 'one', env: { DOCKER_CONTEXT: 'default' } });
  expect(await placesOf(usual)).toContain('unix:///run/podman/podman.sock');
});

test('a context that is not there is told by its name, and no other daemon is taken in its stead', async () => {
  const world = userWith({}, { current: 'gone' });
  expect(await daemonsHere(world)).toEqual([]);
  await expect(daemonOf(world)).rejects.toMatchObject({
    code: 'DOCKER_UNREACHABLE',
    message: expect.stringMatching(
      /^No container engine answers at the context gone: .*docker context ls/,
    ) as string,
  });
});

test('a daemon by ssh is reached by the program that Docker itself starts there', () => {
  const front = 'ssh -T -oBatchMode=yes -oConnectTimeout=15'.split(' ');
  const there = '-l me -p 2222 -- box'.split(' ');
  expect(sshCommand('ssh://me@box:2222')).toEqual([...front, ...there, 'docker system dial-stdio']);
  expect(sshCommand('ssh://box/run/user/1000/docker.sock')?.at(-1)).toBe(
    'docker -H unix:///run/user/1000/docker.sock system dial-stdio',
  );
  expect(sshCommand('ssh://box/a;reboot')).toBeNull();
  expect(sshCommand('unix:///d.sock')).toBeNull();
});

/** An authority, a server's and a client's certificate, made by openssl. */
function certificates(): Record<'ca' | 'server' | 'client', { cert: string; key: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  }
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=lab', '-days', '2');
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
  }
  function read(name: string): { cert: string; key: string } {
    const [cert = '', key = ''] = ['pem', 'key'].map((end) =>
      readFileSync(join(folder, `${name}.${end}`), 'utf8'),
    );
    return { cert, key };
  }
  return { ca: read('ca'), server: read('server'), client: read('client') };
}

test('a daemon over TLS is asked with the certificate of its context, and one of another authority is not', async () => {
  const { ca, server, client } = certificates();
  const names: string[] = [];
  const daemon = https.createServer(
    { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end('{"Components": []}');
    },
  );
  await new Promise<void>((done) => void daemon.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    daemon.close();
    daemon.closeAllConnections();
  });
  const host = `tcp://127.0.0.1:${(daemon.address() as AddressInfo).port}`;
  const tls = { 'ca.pem': ca.cert, 'cert.pem': client.cert, 'key.pem': client.key };
  const found = await daemonOf(userWith({ far: { host, tls } }, { current: 'far' }));
  expect([found.api.where, found.podman, names]).toEqual([host, false, ['client']]);

  const { 'ca.pem': _ca, ...own } = tls;
  const untrusted = userWith({ far: { host, tls: own } }, { current: 'far' });
  await expect(daemonOf(untrusted)).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE' });
  await daemonOf(userWith({ far: { host, tls: own, skip: true } }, { current: 'far' }));

  // The same by the variables that Docker's programs read.
  const folder = mkdtempSync(join(tmpdir(), 'berth-certs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [file, text] of Object.entries(tls)) writeFileSync(join(folder, file), text);
  const env = { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
  await daemonOf(userWith({}, { env }));
  expect(names).toEqual(['client', 'client', 'client']);
});
