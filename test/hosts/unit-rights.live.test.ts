import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const lacks = missingForSystemd();
const why = lacks === '' ? '' : ` (skipped: ${lacks} is missing)`;

let box: SystemdBox;
let folder: string;

function enter(...argv: string[]): BoxRan {
  return box.enter(...argv);
}

function berth(...args: string[]): BoxRan {
  return box.berth(args);
}

/** What a host has of units and their files. */
function inventory(): string {
  return enter('sh', '-c', 'find /etc/systemd/system /etc/berth /var/cache 2>/dev/null | sort').stdout;
}

describe.skipIf(lacks !== '')(`what the user of a unit may write and read${why}`, () => {
  beforeAll(() => {
    box = startSystemdBox();
    folder = box.folder;
  }, 120_000);

  afterAll(() => box.stop(), 60_000);

  test('a program that keeps things in its home has one that it may write in a hardened unit, and it goes with the unit', async () => {
    const before = inventory();
    // Stands in for vLLM as far as its command line and its folders go: it ends where it cannot write them.
    const script = [
      '#!/bin/sh -e',
      'while [ $# -gt 0 ]; do [ "$1" != --port ] || port=$2; shift; done',
      'for one in "$HF_HOME/hub" "$VLLM_CACHE_ROOT/torch" ~/.triton/cache ~/.cache/flashinfer ~/.config/vllm; do',
      '  mkdir -p "$one"; echo written >"$one/one"; echo "kept in $one"',
      'done',
      `exec '${process.execPath}' '${fakeEngine}' "$port"`,
    ];
    writeFileSync(join(folder, 'vllm'), script.join('\n'));
    for (const one of [folder, join(folder, 'vllm')]) chmodSync(one, 0o755);
    const paths = [folder, dirname(dirname(process.execPath)), dirname(fakeEngine)].join(' ');
    writeFileSync(
      join(folder, 'berth.yaml'),
      [
        'version: 1\nfleet: lab\nid: box1',
        'models: {m: {source: "hf://someone/m"}}',
        'deployments:',
        `  v: {model: m, target: {kind: systemd, unit: {Service: {BindReadOnlyPaths: ${paths}}}}, engine: {kind: vllm, binary: ${folder}/vllm, startTimeout: 60s}}`,
        '',
      ].join('\n'),
    );
    const applied = berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    const home = '/var/cache/berth/lab-box1/v-0/home';
    expect(berth('logs', 'v').stdout).toContain(`kept in ${home}/.triton/cache`);
    expect(enter('cat', `/var/cache/private/berth/lab-box1/v-0/home/.config/vllm/one`).stdout).toBe(
      'written\n',
    );
    expect(berth('down').code).toBe(0);
    expect(inventory()).toBe(before);
  }, 120_000);

  test('a program of Python in a home finds its packages and its own Python from a hardened unit', () => {
    const venv = join(folder, 'me/venv');
    const made = enter('python3', '-m', 'venv', '--without-pip', venv);
    expect(made.code, made.stderr).toBe(0);
    const [packages = ''] = enter('sh', '-c', `echo ${venv}/lib/python3*/site-packages`).stdout.split('\n');
    // Stands in for vLLM as pip installs it: a script that imports it.
    const module = [
      'import os, sys',
      'def main():',
      '    port = sys.argv[sys.argv.index("--port") + 1]',
      `    os.execv("${process.execPath}", ["node", "${fakeEngine}", port])`,
      '',
    ];
    writeFileSync(join(packages, 'lab_vllm.py'), module.join('\n'));
    writeFileSync(join(venv, 'bin/vllm'), `#!${venv}/bin/python\nfrom lab_vllm import main\nmain()\n`);
    for (const one of [folder, join(folder, 'me'), venv, join(venv, 'bin/vllm')]) chmodSync(one, 0o755);
    const paths = [dirname(dirname(process.execPath)), dirname(fakeEngine)].join(' ');
    writeFileSync(
      join(folder, 'berth.yaml'),
      `version: 1\nfleet: lab\nid: box1\nmodels: {m: {source: "hf://someone/m"}}\ndeployments:\n  v: {model: m, target: {kind: systemd, unit: {Service: {BindReadOnlyPaths: ${paths}}}}, engine: {kind: vllm, binary: ${venv}/bin/vllm, startTimeout: 60s}}\n`,
    );
    const applied = berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(JSON.parse(berth('plan', '--json').stdout)).toMatchObject({ actions: [{ do: 'keep' }] });
    expect(berth('down').code).toBe(0);
  }, 120_000);

  test('a model in a folder that the user of the unit may not enter is told by the plan', async () => {
    const models = join(folder, 'models');
    const file = join(models, 'm.gguf');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: file });
    chmodSync(file, 0o644);
    writeFileSync(join(folder, 'llama-server'), '#!/bin/sh\n');
    chmodSync(join(folder, 'llama-server'), 0o755);
    function told(user = ''): { severity: string; message: string; cure: string }[] {
      const target = `{kind: systemd, hardening: basic${user}}`;
      writeFileSync(
        join(folder, 'berth.yaml'),
        `version: 1\nfleet: lab\nid: box1\nmodels: {m: {source: ./models/m.gguf}}\ndeployments:\n  a: {model: m, target: ${target}, engine: {kind: llama.cpp, binary: ${folder}/llama-server}}\n`,
      );
      const { findings } = JSON.parse(berth('plan', '--json').stdout) as {
        findings: { rule: string; severity: string; message: string; cure: string }[];
      };
      return findings.filter(({ rule }) => rule === 'model-unreadable');
    }
    for (const one of [folder, models]) chmodSync(one, 0o755);
    expect(told()).toEqual([]);
    chmodSync(models, 0o700);
    const [own, ...rest] = told();
    expect([own?.severity, rest]).toEqual(['critical', []]);
    expect(own?.message).toContain(`may not enter ${models}, where ${file} lies (mode 700)`);
    expect(own?.cure).toContain(`chmod o+x ${models}`);
    expect(told(', user: nobody')[0]?.message).toContain(
      `The unit runs as nobody, who may not enter ${models}`,
    );
    expect(told(', user: root')).toEqual([]);
  }, 120_000);

  test('a program in such a folder is told too, and so is what a link leads to', async () => {
    const [opt, models, links] = ['opt', 'weights', 'links'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const one of [opt, links]) mkdirSync(one);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(models, 'm.gguf') });
    chmodSync(join(models, 'm.gguf'), 0o644);
    writeFileSync(join(opt, 'llama-server'), '#!/bin/sh\n');
    chmodSync(join(opt, 'llama-server'), 0o755);
    symlinkSync(join(opt, 'llama-server'), join(links, 'llama-server'));
    symlinkSync(join(models, 'm.gguf'), join(links, 'm.gguf'));
    function told(program: string): string[] {
      writeFileSync(
        join(folder, 'berth.yaml'),
        `version: 1\nfleet: lab\nid: box1\nmodels: {m: {source: ./links/m.gguf}}\ndeployments:\n  a: {model: m, target: {kind: systemd, hardening: basic}, engine: {kind: llama.cpp, binary: ${program}}}\n`,
      );
      const { findings } = JSON.parse(berth('plan', '--json').stdout) as {
        findings: { rule: string; evidence: string[] }[];
      };
      return findings.flatMap(({ rule, evidence }) =>
        rule.endsWith('-unreadable') ? [`${rule} ${evidence.at(-1)}`] : [],
      );
    }
    for (const one of [folder, opt, models, links]) chmodSync(one, 0o755);
    expect(told(join(opt, 'llama-server'))).toEqual([]);
    chmodSync(opt, 0o700);
    expect(told(join(opt, 'llama-server'))).toEqual([`program-unreadable ${opt}`]);
    expect(told(join(links, 'llama-server'))).toEqual([`program-unreadable ${opt}`]);
    chmodSync(opt, 0o755);
    chmodSync(join(opt, 'llama-server'), 0o744);
    expect(told(join(opt, 'llama-server'))).toEqual([`program-unreadable ${join(opt, 'llama-server')}`]);
    chmodSync(join(opt, 'llama-server'), 0o755);
    chmodSync(models, 0o750);
    expect(told(join(links, 'llama-server'))).toEqual([`model-unreadable ${models}`]);
  }, 120_000);

  test('a hardened unit reads a model and runs a program that links lead to', async () => {
    const home = join(folder, 'hub');
    for (const one of ['snapshots', 'blobs', 'bin']) mkdirSync(join(home, one), { recursive: true });
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(home, 'blobs/abc') });
    chmodSync(join(home, 'blobs/abc'), 0o644);
    symlinkSync('../blobs/abc', join(home, 'snapshots/m.gguf'));
    const script = [
      '#!/bin/sh -e',
      'while [ $# -gt 0 ]; do case $1 in --port) port=$2 ;; -m|--model) model=$2 ;; esac; shift; done',
      'echo "$(head -c 4 "$model") is read"',
      `exec '${process.execPath}' '${fakeEngine}' "$port"`,
    ];
    mkdirSync(join(home, 'real'));
    writeFileSync(join(home, 'real/llama-server'), script.join('\n'));
    symlinkSync('../real/llama-server', join(home, 'bin/llama-server'));
    for (const one of ['.', 'snapshots', 'blobs', 'bin', 'real', 'real/llama-server'])
      chmodSync(join(home, one), 0o755);
    const paths = [dirname(dirname(process.execPath)), dirname(fakeEngine)].join(' ');
    writeFileSync(
      join(folder, 'berth.yaml'),
      `version: 1\nfleet: lab\nid: box1\nmodels: {m: {source: ./hub/snapshots/m.gguf}}\ndeployments:\n  a: {model: m, target: {kind: systemd, unit: {Service: {BindReadOnlyPaths: ${paths}}}}, engine: {kind: llama.cpp, binary: ${home}/bin/llama-server, startTimeout: 60s}}\n`,
    );
    const applied = berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(berth('logs', 'a').stdout).toContain('GGUF is read');
    expect(JSON.parse(berth('plan', '--json').stdout)).toMatchObject({ actions: [{ do: 'keep' }] });
    expect(berth('down').code).toBe(0);
  }, 120_000);
});
