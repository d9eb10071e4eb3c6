import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registrySettings } from './support/registry-settings.ts';

const root = resolve(import.meta.dirname, '..');
/** Anyone but root: what is installed must not need more. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

const npmPath = whereIs('npm');
let place: string;
let folder: string;

interface Done {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

// The story of one install, from the packed file to a model that answers.
describe.skipIf(npmPath === null)(
  `the package, ${npmPath === null ? 'since npm is not on PATH' : 'installed'}`,
  () => {
    beforeAll(install, 300_000);
    afterAll(async () => {
      await run('berth', ['down']);
      await run('berth', ['down', '--file', 'embedded.yaml']);
      rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    }, 120_000);

    test('is a working berth without the embedded engine', async () => {
      const { code, stdout } = await run('berth', ['--version']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(existsSync(join(folder, 'node_modules/node-llama-cpp'))).toBe(false);
    });

    test('carries what it is made of with its licences, and installs none of that again', () => {
      const licences = readFileSync(join(folder, 'node_modules/berth/dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
      for (const [name, holder] of [
        ['commander', 'TJ Holowaychuk'],
        ['yaml', 'Eemeli Aro'],
        ['zod', 'Colin McDonnell'],
      ] as const) {
        expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|ISC)\\)$`, 'm'));
        expect(licences).toContain(holder);
        expect(existsSync(join(folder, 'node_modules', name))).toBe(false);
      }
    });

    test('scans the machine', async () => {
      const { code, stdout, stderr } = await run('berth', ['scan', '--json']);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toBeTypeOf('object');
    });

    test('validates and plans a fleet', async () => {
      const valid = await run('berth', ['validate']);
      expect(valid.code, valid.stderr).toBe(0);
      const plan = await run('berth', ['plan', '--json']);
      expect(plan.code, plan.stderr).toBe(0);
      expect(plan.stdout).toContain('truth');
    });

    test('brings a fleet up and answers at the gateway', { timeout: 120_000 }, async () => {
      const up = await run('berth', ['up', '--detach', '--json']);
      expect(up.code, up.stderr).toBe(0);
      const { gateway } = JSON.parse(up.stdout) as { gateway: { url: string } };
      const models = await fetch(`${gateway.url}/v1/models`);
      expect(await models.text()).toContain('truth');
      const reply = await complete(gateway.url, 'truth');
      expect(reply.choices[0]?.finish_reason).toBeTypeOf('string');
    });

    test('measures what it serves, and keeps the run', { timeout: 120_000 }, async () => {
      const { stdout } = await run('berth', ['status', '--json']);
      const { gateway } = JSON.parse(stdout) as { gateway: { url: string } };
      const load = [
        '--streams',
        '1,2',
        '--max-requests',
        '4',
        '--prompt-tokens',
        '16',
        '--output-tokens',
        '8',
      ];
      const bench = await run('berth', ['bench', gateway.url, '--model', 'truth', '--no-calibrate', ...load]);
      // On a busy machine the client may be the limit, and says so by its exit code; the run is complete either way.
      expect([0, 5], bench.stderr).toContain(bench.code);
      const runs = await run('berth', ['runs', '--json']);
      expect(JSON.parse(runs.stdout)).toHaveLength(1);
    });

    test('says how the embedded engine is added where it is missing', { timeout: 120_000 }, async () => {
      const made = await run('berth', ['dev', 'make-model', '--params', '1M', '--out', 'small.gguf']);
      expect(made.code, made.stderr).toBe(0);
      const up = await run('berth', ['up', '--detach', '--file', 'embedded.yaml']);
      expect(up.code).not.toBe(0);
      expect(up.stderr).toContain('berth engine add embedded');
    });

    test(
      'adds the embedded engine with one command, and then serves a model',
      { timeout: 400_000 },
      async () => {
        const added = await run('berth', ['engine', 'add', 'embedded']);
        expect(added.code, added.stderr).toBe(0);
        const up = await run('berth', ['up', '--detach', '--json', '--file', 'embedded.yaml']);
        expect(up.code, up.stderr).toBe(0);
        const { gateway } = JSON.parse(up.stdout) as { gateway: { url: string } };
        const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as {
          data: { id: string }[];
        };
        const reply = await complete(gateway.url, data[0]?.id ?? '');
        expect(reply.choices[0]?.text).not.toBe('');
      },
    );
  },
);

/** A path with a space, a Node of its own, an empty HOME: nothing of the clone can be reached by accident. */
async function install(): Promise<void> {
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root });
  place = mkdtempSync(join(tmpdir(), 'berth package '));
  chmodSync(place, 0o755);
  folder = join(place, 'app');
  for (const name of ['app', 'bin', 'home']) mkdirSync(join(place, name));
  copyFileSync(process.execPath, join(place, 'bin/node'));
  chmodSync(join(place, 'bin/node'), 0o755);
  execFileSync(npmPath ?? '', ['pack', '--ignore-scripts', '--pack-destination', place], {
    cwd: root,
    stdio: 'pipe',
  });
  if (user.uid !== undefined)
    for (const name of ['app', 'home']) chownSync(join(place, name), user.uid, user.gid);
  const version = (
    JSON.parse(execFileSync('cat', [join(root, 'package.json')], { encoding: 'utf8' })) as { version: string }
  ).version;
  const done = await run('npm', ['install', '--no-audit', '--no-fund', join(place, `berth-${version}.tgz`)]);
  if (done.code !== 0) throw new Error(`npm install failed:\n${done.stderr}`);
  writeFileSync(
    join(folder, 'berth.yaml'),
    fleet(join(folder, 'node_modules/berth/dist/programs/truth-server.js')),
  );
  writeFileSync(join(folder, 'embedded.yaml'), embeddedFleet);
}

function fleet(truthServer: string): string {
  return `version: 1
fleet: packaged
gateway: { listen: ["127.0.0.1:0"] }
console: { listen: "127.0.0.1:0" }
deployments:
  truth:
    engine:
      kind: command
      command: [node, ${JSON.stringify(truthServer)}, --keep-running, --port, "{port}"]
      healthPath: /health
  elsewhere:
    engine: { kind: openai, url: "http://127.0.0.1:9/v1" }
`;
}

/** A model that berth makes itself, so that nothing has to be downloaded. */
const embeddedFleet = `version: 1
fleet: packaged-embedded
gateway: { listen: ["127.0.0.1:0"] }
console: { listen: "127.0.0.1:0" }
models:
  toy: { source: small.gguf }
deployments:
  toy: { model: toy, engine: { kind: embedded, slots: 1, context: 256 } }
`;

function run(program: string, args: readonly string[]): Promise<Done> {
  const env = {
    ...registrySettings(),
    PATH: `${join(folder, 'node_modules/.bin')}:${join(place, 'bin')}:${dirname(npmPath ?? '')}:/usr/bin:/bin`,
    HOME: join(place, 'home'),
  };
  return new Promise((done) => {
    execFile(program, args, { cwd: folder, env, ...user, timeout: 300_000 }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

async function complete(
  url: string,
  model: string,
): Promise<{ choices: { text: string; finish_reason: string }[] }> {
  const reply = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'What is berth?', max_tokens: 16, temperature: 0 }),
  });
  expect(reply.status).toBe(200);
  return (await reply.json()) as { choices: { text: string; finish_reason: string }[] };
}

function whereIs(program: string): string | null {
  const found = (process.env['PATH'] ?? '').split(':').map((part) => join(part, program));
  return found.find((path) => existsSync(path)) ?? null;
}
