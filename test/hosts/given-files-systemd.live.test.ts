import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fakeEngine } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const lacks = missingForSystemd();

/** Stands in for vLLM as far as its command line goes; with a broken template it ends at once. */
const vllm = `#!/bin/sh
port= template=
while [ $# -gt 0 ]; do
  case $1 in --port) port=$2 ;; --chat-template) template=$2 ;; esac
  shift
done
echo "the template is $(cat "$template")"
! grep -q broken "$template" || exit 3
exec '${process.execPath}' '${fakeEngine}' "$port"
`;

describe.skipIf(lacks !== '')(
  `files that units are given${lacks === '' ? '' : ` (${lacks} is missing)`}`,
  () => {
    let box: SystemdBox;
    let seen: string;

    beforeAll(() => {
      box = startSystemdBox();
      const program = join(box.folder, 'vllm');
      writeFileSync(program, vllm);
      for (const path of [program, box.folder]) chmodSync(path, 0o755);
      seen = `${dirname(dirname(process.execPath))} ${dirname(fakeEngine)} ${box.folder}`;
      write(`{kind: systemd, unit: {Service: {BindReadOnlyPaths: ${seen}}}}`);
    }, 120_000);

    function write(target: string): void {
      writeFileSync(
        join(box.folder, 'berth.yaml'),
        `version: 1
fleet: lab
id: given1
models: {m: {source: "hf://someone/m"}}
deployments:
  chat:
    model: m
    port: 18431
    target: ${target}
    engine: {kind: vllm, binary: ${join(box.folder, 'vllm')}, chatTemplate: ./chat.jinja, startTimeout: 60s}
`,
      );
    }

    afterAll(() => box.stop(), 60_000);

    function apply(text: string): BoxRan {
      writeFileSync(join(box.folder, 'chat.jinja'), text);
      return box.berth(['apply']);
    }

    function said(): string {
      const { stdout } = box.berth(['logs', 'chat', '--lines', '20']);
      return stdout.split('\n').findLast((line) => line.includes('the template is')) ?? '';
    }

    test('a unit goes back to the template that it had, also by who never had that text', () => {
      onTestFinished(() => void box.berth(['down']));
      expect(apply('first').code).toBe(0);
      const failed = apply('broken');
      expect(failed.code, failed.stdout + failed.stderr).toBe(7);
      expect(failed.stdout + failed.stderr).toContain('chat is back');
      expect(said()).toContain('the template is first');

      expect(apply('second').code).toBe(0);
      expect(said()).toContain('the template is second');
      writeFileSync(join(box.folder, 'chat.jinja'), 'third');
      const other = { BERTH_STATE_DIR: join(box.folder, 'of somebody else') };
      const back = box.berth(['rollback', 'chat', '--yes'], other);
      expect(back.code, back.stdout + back.stderr).toBe(0);
      expect(said()).toContain('the template is first');

      expect(box.berth(['down'], other).code).toBe(0);
      expect(box.enter('ls', '/etc/berth').code).not.toBe(0);
    }, 300_000);

    test('what ran before a unit stays beside it until a process in its place answers, and lies with that then', () => {
      onTestFinished(() => void box.berth(['down']));
      expect(apply('first').code).toBe(0);
      write('{kind: process}');
      const failed = apply('broken');
      expect(failed.code, failed.stdout + failed.stderr).toBe(7);
      expect(said()).toContain('the template is first');
      expect(box.enter('ls', '/etc/berth/ran').stdout).toContain('lab-given1');

      expect(apply('second').code).toBe(0);
      expect(said()).toContain('the template is second');
      expect(box.enter('ls', '/etc/berth').code).not.toBe(0);
      writeFileSync(join(box.folder, 'chat.jinja'), 'third');
      const other = { BERTH_STATE_DIR: join(box.folder, 'of a third') };
      const back = box.berth(['rollback', 'chat', '--yes'], other);
      expect(back.code, back.stdout + back.stderr).toBe(0);
      expect(said()).toContain('the template is first');
      expect(box.enter('ls', '/etc/berth/ran').stdout).toContain('lab-given1');

      expect(box.berth(['down'], other).code).toBe(0);
      expect(box.enter('ls', '/etc/berth').code).not.toBe(0);
    }, 300_000);
  },
);
