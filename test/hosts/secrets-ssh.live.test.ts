import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fakeEngine, makePlace } from '../support/berth.ts';
import { canaries, filesWith, watchProcesses } from '../support/canary.ts';
import { allProcesses, expectClean, runAll } from './canary-commands.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');

/** Stands in for vLLM as far as its command line goes. */
const vllm = `#!/bin/sh
port= template=
while [ $# -gt 0 ]; do
  case $1 in --port) port=$2 ;; --chat-template) template=$2 ;; esac
  shift
done
[ -z "$template" ] || echo "the template is $(cat "$template")"
echo "the token is in \${HF_TOKEN_PATH:-nothing}"
exec '${process.execPath}' '${fakeEngine}' "$port"
`;

const lacks = missingForSystemd() || missingForSsh();

test.skipIf(lacks !== '')(
  `no secret that goes by ssh to units and processes shows on either side${lacks ? ` (${lacks} is missing)` : ''}`,
  async () => {
    const keys = mkdtempSync(join(tmpdir(), 'berth-ssh-secrets-'));
    chmodSync(keys, 0o755);
    const box = startSystemdBox([keys]);
    const place = makePlace();
    onTestFinished(async () => {
      await place.close();
      box.stop();
      execFileSync(script, ['stop', keys], { stdio: 'pipe' });
      rmSync(keys, { recursive: true, force: true });
    });
    execFileSync(script, ['start', keys], { env: { ...process.env, BOX_PID: box.pid }, stdio: 'pipe' });
    place.env['PATH'] = `${keys}/bin:${place.env['PATH']}`;
    const program = join(box.folder, 'vllm');
    writeFileSync(program, vllm);
    for (const path of [program, box.folder]) chmodSync(path, 0o755);
    const found = canaries();
    place.env['HUB_TOKEN'] = found.make('env');
    place.write(`DOTENV_TOKEN='${found.make('dotenv')}'\n`, '.env');
    place.write(found.make('file'), 'file.token');
    for (const name of ['.env', 'file.token']) chmodSync(join(place.folder, name), 0o600);
    place.write('{{ a template }}\n', 'chat.jinja');
    const references = ['env:HUB_TOKEN', 'env:DOTENV_TOKEN', 'file:./file.token'];
    const seen = `${dirname(dirname(process.execPath))} ${dirname(fakeEngine)} ${box.folder}`;
    const own = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
    const unit = `{kind: systemd, unit: {Service: {BindReadOnlyPaths: ${seen}}}}`;
    place.write(
      [
        'version: 1\nfleet: lab\nid: canary',
        'hosts: {far: {ssh: box, ports: 18400-18420}}',
        'models:',
        ...references.map((ref, at) => `  m${at}: {source: "hf://someone/m${at}", secret: "\${${ref}}"}`),
        'deployments:',
        ...references.flatMap((_, at) =>
          (['unit', 'process'] as const).map(
            (kind) =>
              `  ${kind}${at}: {model: m${at}, host: far, target: ${kind === 'unit' ? unit : '{kind: process}'}, ownKey: true, engine: {kind: vllm, binary: ${program}, chatTemplate: ./chat.jinja, startTimeout: 60s}}`,
          ),
        ),
        `  own: {host: far, target: {kind: systemd}, ownKey: true, engine: {kind: command, command: ${own}, startTimeout: 60s}}`,
        'gateway: {listen: ["127.0.0.1:0"]}',
        '',
      ].join('\n'),
    );
    const watch = watchProcesses(found);
    const texts = await runAll(place, [
      'plan --json',
      'render --format systemd',
      'apply --json',
      'plan --json',
      'status --json',
      'apply --restart unit0',
      'apply --restart process0',
      'logs unit0',
      'logs process0',
    ]);
    expect(texts.get('logs unit0')).toContain('the token is in /run/credentials/');
    expect(texts.get('logs process0')).toMatch(/the token is in \/.*/);
    // What is no secret goes the same way, past the walls of the unit.
    for (const name of ['logs unit0', 'logs process0'])
      expect(texts.get(name)).toContain('the template is {{ a template }}');
    const state = join(place.folder, 'state');
    for (const name of readdirSync(join(state, 'state/lab-canary/engine-keys')))
      found.add(
        `own key of ${name}`,
        readFileSync(join(state, 'state/lab-canary/engine-keys', name), 'utf8').trim(),
      );
    for (const [name, line] of [
      [
        'units',
        'cat /etc/systemd/system/berth-*.service; systemctl show "berth-*"; systemctl status --no-pager "berth-*"',
      ],
      ['journal', 'journalctl --no-pager -o export'],
      ['processes there', allProcesses],
      [
        'files that others may read there',
        `find /etc /run/systemd /var /root ${keys}/home -type f -perm /077 -exec cat {} + 2>/dev/null; true`,
      ],
    ] as const)
      texts.set(name, box.enter('sh', '-c', line).stdout);
    expect(texts.get('units')).toContain('LoadCredential');
    expect(texts.get('processes there')).toContain('HF_TOKEN_PATH=');
    expect((await place.berth('down')).code).toBe(0);
    expectClean(found, texts);
    expect(await watch.stop()).toEqual([]);
    expect(filesWith(found, state).open).toEqual([]);
    // With the engines their secrets are gone there, too.
    const left = box.enter(
      'sh',
      '-c',
      `find /etc /var /root ${keys}/home -type f -exec cat {} + 2>/dev/null; true`,
    );
    expect(found.in(left.stdout)).toEqual([]);
  },
);
