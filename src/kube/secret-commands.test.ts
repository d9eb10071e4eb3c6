import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { secretCommands } from './secret-commands.ts';

test('in a shell the values of a Secret go by a pipe, whatever signs they have, and are no words of a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const recorder = '#!/bin/sh\necho "$*" >>words\ncase $1 in create) cat >values ;; esac\n';
  writeFileSync(join(folder, 'kubectl'), recorder, { mode: 0o755 });
  const meta = { name: 'toy-secrets', namespace: 'llm', labels: { 'berth.dev/fleet': 'lab' } };
  execFileSync('sh', ['-c', secretCommands(meta, { key: '$KEY', line: 'api-key: \\"$KEY\\"' })], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env['PATH']}`, KEY: 'sk a=b$c"%s`d`' },
  });
  expect(readFileSync(join(folder, 'values'), 'utf8')).toBe(
    'key=sk a=b$c"%s`d`\nline=api-key: "sk a=b$c"%s`d`"\n',
  );
  expect(readFileSync(join(folder, 'words'), 'utf8')).toBe(
    'create secret generic toy-secrets -n llm --from-env-file=/dev/stdin\nlabel secret toy-secrets -n llm berth.dev/fleet=lab\n',
  );
});
