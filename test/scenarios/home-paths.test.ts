import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fakeEngine, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 240_000 });

/** A place whose user has a home of his own, with a model, a program, a secret and a file to import. */
function placeWithHome(): { place: Place; home: string } {
  const place = makePlace();
  onTestFinished(() => place.close());
  const home = join(place.folder, 'home');
  place.env['HOME'] = home;
  mkdirSync(join(home, 'models'), { recursive: true });
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'models/m.gguf'), 'GGUF');
  writeFileSync(join(home, 'key'), 'a-key-of-32-characters-for-tests');
  writeFileSync(join(home, 'usual.yaml'), 'fleet: lab\nmodels: {m: {source: ~/models/m.gguf}}\n');
  const program = join(home, 'bin/engine');
  writeFileSync(
    program,
    `#!/bin/sh\npwd >"$HOME/started-in"\nexec '${process.execPath}' '${fakeEngine}' "$1"\n`,
  );
  chmodSync(program, 0o755);
  return { place, home };
}

test('"~/" in a path is the home of the user who runs berth', async () => {
  const { place, home } = placeWithHome();
  place.write(`version: 1
imports: [~/usual.yaml]
gateway: {keys: {me: "\${file:~/key}"}}
deployments:
  a: {model: m, engine: {kind: command, command: [~/bin/engine, "{port}"], workdir: ~/models, startTimeout: 60s}}
`);
  const planned = await place.berth('plan', '--json');
  expect(planned.code, planned.stderr).toBe(0);
  expect(planned.stdout).toContain(JSON.stringify(join(home, 'models/m.gguf')));
  const applied = await place.berth('apply', '--yes');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect((await place.berth('status')).stdout).toContain('ready');
  const down = await place.berth('down');
  expect(down.code, down.stdout + down.stderr).toBe(0);
  expect(readFileSync(join(home, 'started-in'), 'utf8')).toBe(`${join(home, 'models')}\n`);
  expect(existsSync(join(place.folder, '~'))).toBe(false);
});

test('where another machine or a cluster opens the path it is refused, with the place of it', async () => {
  const { place } = placeWithHome();
  place.write(`version: 1
fleet: lab
hosts:
  here: {local: true}
  far: {ssh: far.example}
  k: {kubernetes: {context: k, kubeconfig: ~/cluster.yaml}}
models:
  m: {source: ~/models/m.gguf}
  n: {source: ~/models/m.gguf, at: {k: {pvc: claim}}}
deployments:
  a: {host: here, model: m, engine: {kind: llama.cpp, binary: ~/bin/engine}}
  b: {host: far, model: m, engine: {kind: llama.cpp, lora: [~/lora.gguf]}}
  c: {host: k, model: n, engine: {kind: llama.cpp}, target: {kind: kubernetes, image: i}}
  d: {host: far, engine: {kind: command, command: [serve, ~/notes, "{port}"]}}
`);
  const { code, stdout, stderr } = await place.berth('validate');
  expect(code).not.toBe(0);
  const told = (stdout + stderr).split('\n').filter((line) => line.includes('not this machine'));
  expect(told).toEqual([
    expect.stringMatching(
      /berth\.yaml:8:15: models\.m\.source: "~" is the home .* host far is not this machine/,
    ),
    expect.stringMatching(
      /berth\.yaml:12:61: deployments\.b\.engine\.lora\.0: .* host far is not this machine/,
    ),
  ]);
});
