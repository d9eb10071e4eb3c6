import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makePlace, ownPorts } from '../support/berth.ts';
import { canaries, filesWith, readOr, watchProcesses } from '../support/canary.ts';
import { layNode } from './berth-image.ts';
import { expectClean, runAll } from './canary-commands.ts';
import { importFolder, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { portsIn } from './suite/inventory.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const image = 'berth-test/vllm:1';
const template = '{{ a template }}\n';

/** Stands in for vLLM as far as its command line, its key and its metrics go. */
const vllm = `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
function after(flag) { const at = process.argv.indexOf(flag); return at < 0 ? '' : process.argv[at + 1]; }
process.on('SIGTERM', () => process.exit(0));
const key = /api-key: "(.*)"/.exec(readFileSync(after('--config'), 'utf8'))[1];
const token = readFileSync(process.env.HF_TOKEN_PATH, 'utf8');
console.log('a token of ' + token.length + ' characters is in ' + process.env.HF_TOKEN_PATH);
console.log('the template is ' + readFileSync(after('--chat-template'), 'utf8').trim());
createServer((request, reply) => {
  request.resume();
  const { url = '', headers } = request;
  if (url.startsWith('/v1') && headers.authorization !== 'Bearer ' + key) return reply.writeHead(401).end('{}');
  reply.setHeader('content-type', 'application/json');
  if (url === '/metrics') return reply.end('vllm:num_requests_running{model_name="m"} 0\\n');
  if (url.startsWith('/v1/models')) return reply.end('{"object":"list","data":[{"id":"m"}]}');
  const message = { role: 'assistant', content: 'a' };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  reply.end(JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message, text: 'a', finish_reason: 'stop' }], usage }));
}).listen(Number(after('--port')), '0.0.0.0');
`;

const lacks = missingForSsh();
const missing = lacks === '' ? missingFor('docker') : `${lacks} is missing`;

/** A machine that is reached by ssh alone, with a dockerd where it usually listens, and an image there. */
async function farMachine(): Promise<{
  machine: string;
  box: ContainerBox;
  enter: (line: string) => string;
}> {
  const machine = mkdtempSync(join(tmpdir(), 'berth-ssh-secrets-'));
  execFileSync(script, ['start', machine], { stdio: 'pipe' });
  onTestFinished(() => {
    execFileSync(script, ['stop', machine], { stdio: 'pipe' });
    rmSync(machine, { recursive: true, force: true });
  });
  const box = await startBox('docker', { before: [script, 'enter', machine] });
  onTestFinished(() => box.stop());
  function enter(line: string): string {
    return execFileSync(script, ['enter', machine, 'sh', '-c', line], { encoding: 'utf8', stdio: 'pipe' });
  }
  enter(`ln -s ${box.host.slice('unix://'.length)} /run/docker.sock`);
  const folder = join(machine, 'image');
  layNode(folder);
  writeFileSync(join(folder, 'vllm.mjs'), vllm);
  await importFolder(box, image, { folder, paths: ['.'] });
  rmSync(folder, { recursive: true });
  return { machine, box, enter };
}

test.skipIf(missing !== null)(
  `no secret that goes by ssh into a container shows on either side${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    const { machine, box, enter } = await farMachine();
    const place = makePlace();
    onTestFinished(async () => {
      await place.berth('down');
      await place.close();
    });
    place.env['PATH'] = `${machine}/bin:${place.env['PATH']}`;
    const found = canaries();
    place.env['HUB_TOKEN'] = found.make('env');
    place.write(`DOTENV_TOKEN='${found.make('dotenv')}'\n`, '.env');
    place.write(found.make('file'), 'file.token');
    for (const name of ['.env', 'file.token']) chmodSync(join(place.folder, name), 0o600);
    place.write(template, 'chat.jinja');
    const ports = portsIn(ownPorts());
    const references = ['env:HUB_TOKEN', 'env:DOTENV_TOKEN', 'file:./file.token'];
    // One runs as a user of its own, who has to be given what is his.
    const target = `kind: docker, image: "${image}", pull: never, entrypoint: [/usr/local/bin/node, /vllm.mjs]`;
    const users = ['', '', ', user: "1234"'];
    place.write(
      [
        'version: 1\nfleet: lab\nid: canary',
        `hosts: {far: {ssh: box, ports: ${ports[0]}-${ports.at(-1)}}}`,
        'models:',
        ...references.map((ref, at) => `  m${at}: {source: "hf://someone/m${at}", secret: "\${${ref}}"}`),
        'deployments:',
        ...references.map(
          (_, at) =>
            `  box${at}: {model: m${at}, host: far, target: {${target}${users[at]}}, ownKey: true, engine: {kind: vllm, servedModel: m, chatTemplate: ./chat.jinja, startTimeout: 60s}}`,
        ),
        'gateway: {listen: ["127.0.0.1:0"]}',
        '',
      ].join('\n'),
    );
    const watch = watchProcesses(found);
    const texts = await runAll(place, [
      'validate --json',
      'plan --json',
      'render --format compose',
      'render --format quadlet',
      'apply --json',
      'plan --json',
      'status --json',
      'top --once --json',
      'apply --restart box0',
      'logs box0',
      'logs box2',
    ]);
    for (const name of ['logs box0', 'logs box2']) {
      expect(texts.get(name)).toMatch(/a token of \d+ characters is in \/run\/secrets\//);
      // What is no secret goes the same way.
      expect(texts.get(name)).toContain(`the template is ${template.trim()}`);
    }
    const state = join(place.folder, 'state');
    const keys = join(state, 'state/lab-canary/engine-keys');
    for (const name of readdirSync(keys))
      found.add(`own key of ${name}`, readFileSync(join(keys, name), 'utf8').trim());

    const made = (await box.api.ask('GET', '/containers/json?all=1')).json as { Id: string }[];
    expect(made).toHaveLength(3);
    for (const { Id } of made) {
      texts.set(`inspect ${Id}`, JSON.stringify((await box.api.ask('GET', `/containers/${Id}/json`)).json));
      texts.set(`top ${Id}`, JSON.stringify((await box.api.ask('GET', `/containers/${Id}/top`)).json));
    }
    texts.set('images and volumes', JSON.stringify((await box.api.ask('GET', '/system/df')).json));
    texts.set('what the daemon says', readOr(join(box.host.slice('unix://'.length), '../box.log')));
    const engines = readdirSync('/proc').filter((pid) =>
      readOr(`/proc/${pid}/cmdline`).includes('/vllm.mjs'),
    );
    expect(engines.length).toBeGreaterThanOrEqual(3);
    for (const pid of engines)
      texts.set(`process ${pid}`, readOr(`/proc/${pid}/environ`) + readOr(`/proc/${pid}/cmdline`));
    expect(texts.get(`process ${engines[0]}`)).toContain('HF_TOKEN_PATH=');
    texts.set(
      'files that others may read there',
      enter(`find ${machine}/home -type f -perm /077 -exec cat {} + 2>/dev/null; true`),
    );
    expect(texts.get('files that others may read there')).toContain(template.trim());
    expect((await place.berth('down')).code).toBe(0);
    expectClean(found, texts);
    expect(await watch.stop()).toEqual([]);
    expect(filesWith(found, state).open).toEqual([]);
    // With the engines their secrets are gone there, too.
    expect(found.in(enter(`find ${machine}/home -type f -exec cat {} + 2>/dev/null; true`))).toEqual([]);
  },
);
