import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePorts, until } from '../support/berth.ts';
import { json, startScriptedEngine } from '../support/scripted-engine.ts';
import { layNode } from './berth-image.ts';
import { missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 });

const root = resolve(import.meta.dirname, '../..');
const base = 'localhost/node:24';
const image = 'localhost/berth-built:1';
const missing = missingFor('podman');

/** Without a registry: the base is made of the Node of this machine and what it is linked to. */
describe.skipIf(missing !== null)(
  `the image that podman builds of the Containerfile${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let work: string;
    let box: ContainerBox;

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), 'berth-image-'));
      const tree = join(work, 'image');
      execFileSync('node', [join(root, 'scripts/image.mjs'), tree], { stdio: 'ignore' });
      mkdirSync(join(work, 'base'));
      layNode(join(work, 'base'));
      box = await startBox('podman');
      execFileSync('tar', ['-C', join(work, 'base'), '-cf', join(work, 'base.tar'), '.']);
      podman('import', '--change', 'ENV PATH=/usr/local/bin', join(work, 'base.tar'), base);
      const file = join(root, 'Containerfile');
      podman('build', '--pull-never', '-t', image, '--build-arg', `BASE=${base}`, '-f', file, tree);
      mkdirSync(join(work, 'etc'));
      chmodSync(work, 0o755);
    });
    afterAll(() => {
      box?.stop();
      rmSync(work, { recursive: true, force: true });
    });

    function podman(...args: string[]): string {
      return box.enter('podman', ...args);
    }

    /** As a cluster runs it: a root that cannot be written, no rights, and the fleet file beside it. */
    function run(...args: string[]): string {
      return podman('run', '--rm', ...asCluster(), image, ...args);
    }

    function asCluster(): string[] {
      const locked = ['--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges'];
      return [...locked, '--network', 'host', '--pull', 'never', '-v', `${join(work, 'etc')}:/etc/berth:ro`];
    }

    test('runs berth as nobody in particular, checks a fleet file, and is small', () => {
      expect(run('--help')).toContain('Usage: berth');
      const who = ['--entrypoint', 'node', image, '-p', 'process.getuid() + ":" + process.getgid()'];
      expect(podman('run', '--rm', ...asCluster(), ...who).trim()).toBe('10001:10001');
      const text =
        'version: 1\nfleet: boxed\ndeployments: {far: {engine: {kind: openai, url: "http://far/v1"}}}\n';
      writeFileSync(join(work, 'etc/berth.yaml'), text);
      expect(run('validate', '--file', '/etc/berth/berth.yaml')).toContain('boxed');
      const sizes = [base, image].map((name) =>
        Number(podman('image', 'inspect', '--format', '{{.Size}}', name)),
      );
      const [under = 0, whole = 0] = sizes;
      console.info(
        `image: ${(whole / 1e6).toFixed(1)} MB, ${((whole - under) / 1e6).toFixed(1)} MB over its base`,
      );
      expect(whole - under).toBeLessThan(64e6);
    });

    test('serves its gateway, with a key and without, and ends by a signal', async () => {
      const engine = await startScriptedEngine({
        answer: (reply) => json(reply, 200, { choices: [{ index: 0, text: 'here', finish_reason: 'stop' }] }),
      });
      onTestFinished(() => engine.close());
      const [port = 0] = await freePorts(1);
      writeFileSync(join(work, 'etc/key'), 'sk-of-a-test', { mode: 0o644 });
      writeFileSync(
        join(work, 'etc/berth.yaml'),
        `version: 1
fleet: boxed
gateway: {listen: ["0.0.0.0:${port}"], keys: {me: "\${file:/etc/berth/key}"}}
deployments: {far: {engine: {kind: openai, url: "${engine.url}/v1"}}}
`,
      );
      const flags = ['--detach', '--name', 'gateway', '-v', 'berth-home:/var/lib/berth', ...asCluster()];
      podman('run', ...flags, image, 'serve', '--file', '/etc/berth/berth.yaml');
      const url = `http://127.0.0.1:${port}`;
      async function ask(key: string): Promise<Response> {
        return fetch(`${url}/v1/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ model: 'far', prompt: 'a' }),
        });
      }
      try {
        await until(
          () =>
            fetch(`${url}/healthz`).then(
              ({ ok }) => ok,
              () => false,
            ),
          'the gateway to answer',
        );
      } catch (error) {
        throw new Error(box.enter('sh', '-c', 'podman logs gateway 2>&1'), { cause: error });
      }
      expect((await ask('wrong')).status).toBe(401);
      const answer = await ask('sk-of-a-test');
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('here')]);
      podman('stop', '--time', '60', 'gateway');
      expect(podman('inspect', '--format', '{{.State.ExitCode}}', 'gateway').trim()).toBe('0');
    });

    test('has a home that its user may write, beside berth itself', () => {
      const script = 'fs.writeFileSync(os.homedir() + "/x", ""); fs.readdirSync("/").sort().join()';
      const made = podman(
        'run',
        '--rm',
        '--pull',
        'never',
        '--network',
        'host',
        '--entrypoint',
        'node',
        image,
        '-p',
        script,
      );
      expect(made.split(',')).toContain('berth');
    });
  },
);
