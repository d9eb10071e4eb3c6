import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { canaries, filesWith, readOr, watchProcesses } from '../support/canary.ts';
import { makeAuthority, opensslMissing } from '../support/certificates.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function dotEnv(text: string, mode = 0o600): void {
  place.write(text, '.env');
  chmodSync(join(place.folder, '.env'), mode);
}

function fleet(more: string): void {
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"], keys: {me: "\${env:MY_KEY}"}}\n${more}`,
  );
}

function chat(url: string, key: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'a', messages: [] }),
  });
}

/** A server that is well, answers one question, refuses all others and repeats then what it was shown, as some do. */
async function refuseAll(): Promise<string> {
  let asked = 0;
  const server = http.createServer((request, reply) => {
    const message = `${request.headers.authorization ?? 'nothing'} is no key of ours`;
    if (request.method === 'GET' && /^\/(health|v1\/models)$/.test(request.url ?? ''))
      return void reply.end('{"object":"list","data":[{"id":"loud"}]}');
    const isChat = request.url === '/v1/chat/completions';
    if (isChat && (asked += 1) === 1)
      return void reply.end('{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}');
    reply.writeHead(401, { 'content-type': 'application/json', 'x-error-message': message });
    reply.end(JSON.stringify({ error: message }));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function said(ran: Ran): string {
  return ran.stdout + ran.stderr;
}

test('a variable that the shell has not is read from .env beside the fleet file, wherever berth is run', async () => {
  fleet('');
  expect(said(await place.berth('validate'))).toContain('The environment variable MY_KEY is not set.');
  dotEnv('# keys\nexport MY_KEY="of the file"\n');
  expect((await place.berth('validate')).code).toBe(0);
  dotEnv('OTHER=x\nMY_KEY=\n');
  expect(said(await place.berth('validate'))).toContain(
    `is not set, nor is it in ${join(place.folder, '.env')}`,
  );
});

test('the shell comes before .env, an engine inherits nothing of it, and a kept plan finds it again', async () => {
  const [port = 0] = await freePorts(1);
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  fleet(
    `console: {listen: "127.0.0.1:0"}\ndeployments:\n  a: {port: ${port}, engine: {kind: command, command: ${command}, stopGrace: 1s}}\n` +
      `  far: {engine: {kind: openai, url: "http://127.0.0.1:${port}", key: "\${env:FAR_KEY}"}}\n`,
  );
  dotEnv('MY_KEY=of-the-file\nFAR_KEY=far\nUNRELATED=engine-must-not-see\n');
  expect((await place.berth('plan', '--out', 'plan.json')).code).toBe(0);
  expect((await place.berth('apply', 'plan.json')).code).toBe(0);
  place.spawn('up');
  const up = await until(async () => {
    const found: FleetStatus = (await place.berth('status', '--json')).json();
    return found.gateway.url && found.deployments[0]?.replicas[0]?.state === 'ready' ? found : null;
  }, 'the fleet to be up');
  const environment = readFileSync(`/proc/${up.deployments[0]?.replicas[0]?.pid}/environ`, 'utf8');
  for (const text of ['of-the-file', 'engine-must-not-see', 'FAR_KEY='])
    expect(environment).not.toContain(text);
  expect((await chat(up.gateway.url ?? '', 'of-the-file')).status).toBe(200);
  expect((await chat(up.gateway.url ?? '', 'of-the-shell')).status).toBe(401);
  // A restart of the control process in a shell that has the variable.
  await place.berth('down');
  place.env['MY_KEY'] = 'of-the-shell';
  place.spawn('up');
  const again = await until(async () => {
    const found: FleetStatus = (await place.berth('status', '--json')).json();
    return found.gateway.url && found.deployments[0]?.replicas[0]?.state === 'ready' ? found : null;
  }, 'the fleet to be up again');
  expect((await chat(again.gateway.url ?? '', 'of-the-shell')).status).toBe(200);
  expect((await chat(again.gateway.url ?? '', 'of-the-file')).status).toBe(401);
});

test('files with secrets that others can read are told, with the command that closes them', async () => {
  chmodSync(place.folder, 0o755);
  place.write('sk-of-a-file', 'key.txt');
  const path = join(place.folder, 'key.txt');
  place.write(
    'version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"], keys: {me: "${env:MY_KEY}", you: "${file:key.txt}"}}\n',
  );
  dotEnv('MY_KEY=x\n', 0o644);
  chmodSync(path, 0o604);
  const plan = (await place.berth('plan', '--json')).json() as {
    findings: { rule: string; object: string }[];
  };
  expect(plan.findings).toEqual(
    [join(place.folder, '.env'), path].map((object) =>
      expect.objectContaining({
        rule: 'secret-readable',
        severity: 'warning',
        object,
        cure: `chmod 600 '${object}'`,
      }),
    ),
  );
  expect(said(await place.berth('validate'))).toContain(`warning: ${path}: It holds a secret`);
  chmodSync(path, 0o640);
  dotEnv('MY_KEY=x\n');
  expect(((await place.berth('validate', '--json')).json() as { findings: unknown[] }).findings).toEqual([]);
  // What lies behind a folder that others may not pass is not open, whatever its own mode.
  chmodSync(path, 0o644);
  chmodSync(place.folder, 0o700);
  expect(((await place.berth('validate', '--json')).json() as { findings: unknown[] }).findings).toEqual([]);
});

test.skipIf(opensslMissing !== '')(
  `no secret of any kind shows in what berth prints, logs, keeps for others, or hands to processes${opensslMissing}`,
  async () => {
    const found = canaries();
    const authority = makeAuthority();
    const tls = authority.issue('localhost');
    const keyText = readFileSync(tls.keyFile, 'utf8').replaceAll(/-----[A-Z ]+-----|\n/g, '');
    found.add('key of TLS', keyText.slice(0, 60));
    const client = found.make('env');
    place.env['CLIENT_KEY'] = client;
    dotEnv(`FAR_KEY='${found.make('dotenv')}'\n`);
    place.write(`${found.make('file')}\n`, 'file.key');
    chmodSync(join(place.folder, 'file.key'), 0o600);
    place.write(found.make('model'), 'hub.token');
    const [port = 0, nobody = 0] = await freePorts(2);
    const echo = await refuseAll();
    place.env['HF_ENDPOINT'] = echo;
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
    place.write(
      `version: 1
fleet: lab
gateway:
  listen: ["127.0.0.1:0"]
  tls: {cert: "${tls.certFile}", key: "${tls.keyFile}"}
  keys: {env: "\${env:CLIENT_KEY}", file: "\${file:file.key}"}
  accessLog: {}
  capture: {}
console: {listen: "127.0.0.1:0"}
models: {hub: {source: "hf://someone/something", secret: "\${file:hub.token}"}}
deployments:
  a: {port: ${port}, ownKey: true, engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: 60s}}
  far: {engine: {kind: openai, url: "http://127.0.0.1:${nobody}", key: "\${env:FAR_KEY}"}}
  loud: {engine: {kind: openai, url: "${echo}", key: "\${env:FAR_KEY}"}}
benchmarks:
  far: {of: far, profile: {kind: synchronous}, requests: 1, data: {kind: synthetic, prompt: 4, output: 4}}
  loud: {of: loud, profile: {kind: synchronous}, requests: 3, data: {kind: synthetic, prompt: 4, output: 4}}
`,
    );
    const watch = watchProcesses(found);
    const texts = new Map<string, string>();
    async function run(...args: string[]): Promise<Ran> {
      const ran = await place.berth(...args);
      texts.set(args.join(' '), said(ran));
      return ran;
    }
    await run('validate', '--json');
    await run('plan', '--out', 'plan.json', '--json');
    texts.set('plan.json', readOr(join(place.folder, 'plan.json')));
    const up = place.spawn('up');
    const status = await until(async () => {
      const now: FleetStatus = (await place.berth('status', '--json')).json();
      return now.console.url && now.deployments[0]?.replicas[0]?.state === 'ready' ? now : null;
    }, 'the fleet to be up');
    const pid = status.deployments[0]?.replicas[0]?.pid ?? 0;
    const environment = readOr(`/proc/${pid}/environ`);
    texts.set('environment of the engine', environment);
    const keyFile = /"key":\{"file":"([^"]+)"/.exec(environment)?.[1] ?? '';
    found.add('own', readFileSync(keyFile, 'utf8').trim());
    const made = (await place.berth('keys', 'add', 'laptop', '--json')).json() as { key: string };
    found.add('made', made.key);

    // Requests that are answered, refused, and sent to a server that is not there.
    const { get } = await import('./secrets-request.ts');
    const url = status.gateway.url ?? '';
    const ca = authority.cert;
    texts.set('answer', await get(url, { ca, key: client, model: 'a' }));
    texts.set('answer to one that was made', await get(url, { ca, key: made.key, model: 'a' }));
    texts.set('refusal', await get(url, { ca, key: `${client}x`, model: 'a' }));
    texts.set('no server', await get(url, { ca, key: client, model: 'far' }));
    expect(
      [...texts].filter(([name]) => name.startsWith('answer')).map(([, text]) => text.slice(0, 3)),
    ).toEqual(['200', '200']);
    expect(texts.get('refusal')?.slice(0, 3)).toBe('401');
    expect(texts.get('no server')?.slice(0, 2)).toBe('50');

    for (const args of [
      'scan --json',
      'scan',
      'plan',
      'status',
      'status --json',
      'logs a',
      'logs gateway',
      'keys list --json',
      'pull hub',
      'models show hub',
      'bench far --json',
      'bench loud --json',
      'schema',
    ])
      await run(...args.split(' '));
    await run('apply', '--restart', 'a', '--yes', '--json');
    // An engine that ends at once: its last lines, and berth's own words for it.
    place.write(
      readFileSync(join(place.folder, 'berth.yaml'), 'utf8')
        .replace("'--keyed'", "'--crash'")
        .replace('"--keyed"', '"--crash"'),
    );
    const crashed = await run('apply', '--yes');
    expect(crashed.code).not.toBe(0);
    writeFileSync(
      join(place.folder, 'berth.yaml'),
      'version: 1\nfleet: lab\ngateway: {keys: {me: [1, 2]}}\n',
    );
    await run('validate');
    texts.set('up', Object.values(up.output()).join('\n'));

    const leaks = [...texts].flatMap(([name, text]) => found.in(text).map((what) => `${what} in ${name}`));
    expect(leaks).toEqual([]);
    expect(texts.get('bench loud --json')).toContain('[secret] is no key of ours');
    expect(await watch.stop()).toEqual([]);
    const files = filesWith(found, join(place.folder, 'state'));
    expect(files.open).toEqual([]);
    // Only files that are there to hold one.
    const expected = /^(\S+\/)?(secrets|engine-keys)\/|^(\S+\/)?(gateway\.json|control-token)/;
    expect(files.own.filter((line) => !expected.test(line))).toEqual([]);
    expect(
      filesWith(found, place.folder)
        .own.filter((line) => !line.startsWith('state/'))
        .toSorted(),
    ).toEqual(['.env: dotenv plain, dotenv json', 'file.key: file plain, file json']);
  },
);

test('a secret whose value has changed is told by its name, restarts the engine that reads it, and its mark tells nothing of it', async () => {
  const found = canaries();
  const [port = 0] = await freePorts(1);
  const before = found.make('before');
  place.write(`${before}\n`, 'hub.txt');
  chmodSync(join(place.folder, 'hub.txt'), 0o600);
  const vllm = join(place.folder, 'vllm');
  writeFileSync(
    vllm,
    `#!/bin/sh\ncase "$*" in *--help*) exit 0 ;; esac\ncp "$HF_TOKEN_PATH" '${place.folder}/seen'\nexec '${process.execPath}' '${fakeEngine}' ${port}\n`,
  );
  chmodSync(vllm, 0o755);
  place.write(`version: 1
fleet: lab
models: {m: {source: "hf://a/b", secret: "\${file:./hub.txt}"}}
deployments: {a: {model: m, port: ${port}, engine: {kind: vllm, binary: "${vllm}", startTimeout: 60s}}}
`);
  async function planned(): Promise<{ do: string; reasons: { text: string }[] }[]> {
    const ran = await place.berth('plan', '--json');
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    expect(found.in(ran.stdout + ran.stderr)).toEqual([]);
    return (ran.json() as { actions: { do: string; reasons: { text: string }[] }[] }).actions;
  }
  const first = await place.berth('apply');
  expect(first.code, said(first)).toBe(0);
  expect((await planned()).map((action) => action.do)).toEqual(['keep']);
  const after = found.make('after');
  place.write(`${after}\n`, 'hub.txt');
  const [change] = await planned();
  expect(change?.do).toBe('replace');
  expect(change?.reasons.map(({ text }) => text)).toEqual([
    `secret ${join(place.folder, 'hub.txt')} changed: restart`,
  ]);
  const status: FleetStatus = (await place.berth('status', '--json')).json();
  const pid = status.deployments[0]?.replicas[0]?.pid ?? 0;
  expect(found.in(readOr(`/proc/${pid}/environ`))).toEqual([]);
  const second = await place.berth('apply');
  expect(second.code, said(second)).toBe(0);
  expect(readFileSync(join(place.folder, 'seen'), 'utf8').trim()).toBe(after);
  expect((await planned()).map((action) => action.do)).toEqual(['keep']);
});
