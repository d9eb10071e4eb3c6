import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
import { canaries, filesWith, readOr, watchProcesses } from '../support/canary.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerEngine } from './container-box.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const lacks = missingForSystemd();

/** Stands in for vLLM as far as its command line goes. */
const vllm = `#!/bin/sh
port=
while [ $# -gt 0 ]; do [ "$1" != --port ] || port=$2; shift; done
echo "the token is in \${HF_TOKEN_PATH:-nothing}"
exec '${process.execPath}' '${fakeEngine}' "$port"
`;

test.skipIf(lacks !== '')(
  `no secret of a unit shows in plan, unit, journal, command lines or environment${lacks ? ` (${lacks} is missing)` : ''}`,
  async () => {
    const box = startSystemdBox();
    onTestFinished(() => box.stop());
    const { folder } = box;
    const found = canaries();
    const env = { HUB_TOKEN: found.make('env') };
    writeFileSync(join(folder, '.env'), `DOTENV_TOKEN='${found.make('dotenv')}'\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'file.token'), found.make('file'), { mode: 0o600 });
    writeFileSync(join(folder, 'vllm'), vllm);
    chmodSync(join(folder, 'vllm'), 0o755);
    chmodSync(folder, 0o755);
    const models = ['env:HUB_TOKEN', 'env:DOTENV_TOKEN', 'file:./file.token'].map(
      (ref, i) => `  m${i}: {source: "hf://someone/m${i}", secret: "\${${ref}}"}`,
    );
    const deployments = models.map(
      (_, i) =>
        `  v${i}: {model: m${i}, target: {kind: systemd, unit: {Service: {BindReadOnlyPaths: ${dirname(dirname(process.execPath))} ${dirname(fakeEngine)}}}}, ownKey: true, engine: {kind: vllm, binary: ${folder}/vllm, startTimeout: 60s}}`,
    );
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
    writeFileSync(
      join(folder, 'berth.yaml'),
      [
        'version: 1\nfleet: lab\nid: canary\nmodels:',
        ...models,
        'deployments:',
        ...deployments,
        `  own: {target: {kind: systemd}, ownKey: true, engine: {kind: command, command: ${command}, startTimeout: 60s}}`,
        '',
      ].join('\n'),
    );
    const watch = watchProcesses(found);
    const texts = new Map<string, string>();
    for (const args of [
      'plan --json',
      'apply',
      'plan --json',
      'status --json',
      'scan --json',
      'apply --restart v0',
      'logs own',
      'logs v0',
    ]) {
      const ran = box.berth(args.split(' '), env);
      expect([args, ran.code, ran.stdout]).toEqual([args, 0, expect.any(String)]);
      texts.set(args, ran.stdout + ran.stderr);
    }
    // A key of berth's own is known only now; it must not be in what was said before either.
    const keys = join(folder, 'state/state/lab-canary/engine-keys');
    for (const name of readdirSync(keys))
      found.add(`own key of ${name}`, readFileSync(join(keys, name), 'utf8').trim());
    expect(texts.get('logs v0')).toContain('the token is in /run/credentials/');

    const units = box.enter(
      'sh',
      '-c',
      'cat /etc/systemd/system/berth-*.service /etc/systemd/system/berth-*.d/*; systemctl show "berth-*"; systemctl cat "berth-*"; systemctl status --no-pager "berth-*"',
    );
    texts.set('units', units.stdout);
    expect(units.stdout).toContain('LoadCredential');
    texts.set('journal', box.enter('journalctl', '--no-pager', '-o', 'export').stdout);
    texts.set(
      'environments',
      box.enter(
        'sh',
        '-c',
        'for p in $(systemctl show -p MainPID --value "berth-*"); do [ -z "$p" ] || cat "/proc/$p/environ" "/proc/$p/cmdline"; done',
      ).stdout,
    );
    expect(texts.get('environments')).toContain('HF_TOKEN_PATH=');
    const open = box.enter(
      'sh',
      '-c',
      'find /etc /run/systemd /var /tmp -type f -perm /077 -exec cat {} + 2>/dev/null; true',
    );
    texts.set('files that others may read', open.stdout);
    expect(box.berth(['down'], env).code).toBe(0);
    expect([...texts].flatMap(([name, text]) => found.in(text).map((what) => `${what} in ${name}`))).toEqual(
      [],
    );
    expect(await watch.stop()).toEqual([]);
    // With the units their secrets are gone too.
    const left = box.enter(
      'sh',
      '-c',
      'find /etc /run /var -type f -not -path "/run/berth*" -exec cat {} + 2>/dev/null; true',
    );
    expect(found.in(left.stdout)).toEqual([]);
  },
);

test.each<ContainerEngine>(['docker', 'podman'])(
  'no secret of a container of %s shows in plan, inspect, logs, command lines or environment',
  async (engine) => {
    const missing = missingFor(engine);
    if (missing !== null) return console.info(`${engine}: not run, ${missing}`);
    const box = await startBox(engine);
    onTestFinished(() => box.stop());
    const image = await importLlama(box);
    const place = makePlace();
    onTestFinished(async () => {
      await place.berth('down');
      await place.close();
    });
    const found = canaries();
    place.env['DOCKER_HOST'] = box.host;
    place.env['CLIENT_KEY'] = found.make('env');
    place.write(`FAR_KEY='${found.make('dotenv')}'\n`, '.env');
    chmodSync(join(place.folder, '.env'), 0o600);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    const network = engine === 'podman' ? 'network: host, ' : '';
    place.write(
      [
        'version: 1\nfleet: lab',
        ownPorts(),
        'models: {toy: {source: ./m.gguf}}',
        'gateway: {listen: ["127.0.0.1:0"], keys: {me: "${env:CLIENT_KEY}"}}',
        'deployments:',
        '  far: {engine: {kind: openai, url: "http://127.0.0.1:9", key: "${env:FAR_KEY}"}}',
        `  toy: {model: toy, ownKey: true, engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${image.backend}}},`,
        `    target: {kind: docker, ${network}image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(image.entrypoint)}}}`,
      ].join('\n'),
    );
    const watch = watchProcesses(found);
    const texts = new Map<string, string>();
    for (const args of [
      'plan --json',
      'apply',
      'status --json',
      'scan --json',
      'logs toy',
      'apply --restart toy',
    ]) {
      const ran = await place.berth(...args.split(' '));
      expect([args, ran.code, ran.stderr]).toEqual([args, 0, expect.any(String)]);
      texts.set(args, ran.stdout + ran.stderr);
    }
    const [container] = (await box.api.ask('GET', '/containers/json?all=1')).json as { Id: string }[];
    const { json } = await box.api.ask('GET', `/containers/${container?.Id}/json`);
    texts.set('inspect', JSON.stringify(json));
    expect(texts.get('inspect')).toContain('--api-key-file');
    const state = join(place.folder, 'state');
    const key = readdirSync(state, { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith('engine-keys/toy'),
    );
    found.add('own key', readFileSync(join(state, key ?? ''), 'utf8').trim());
    const engines = readdirSync('/proc').filter((pid) =>
      readOr(`/proc/${pid}/cmdline`).includes('--api-key-file'),
    );
    expect(engines.length).toBeGreaterThan(0);
    for (const pid of engines)
      texts.set(`process ${pid}`, readOr(`/proc/${pid}/environ`) + readOr(`/proc/${pid}/cmdline`));
    expect([...texts].flatMap(([name, text]) => found.in(text).map((what) => `${what} in ${name}`))).toEqual(
      [],
    );
    expect(await watch.stop()).toEqual([]);
    expect(filesWith(found, state).open).toEqual([]);
  },
);
