import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerApi } from '../../src/io/docker-api.ts';
import type { DockerApi } from '../../src/io/docker-api.ts';
import { until } from '../support/berth.ts';
import { findTool, liveBin } from './llama-server.ts';

export type ContainerEngine = 'docker' | 'podman';

/** A container engine of a test's own, with a socket that berth is pointed to by DOCKER_HOST. */
export interface ContainerBox {
  readonly engine: ContainerEngine;
  /** Runs a program where the daemon runs; its standard output. Throws what it says when it fails. */
  readonly enter: (...argv: string[]) => string;
  /** What stands before a command that is to have its network. */
  readonly before: readonly string[];
  readonly host: string;
  readonly api: DockerApi;
  /** Leaves no byte free on its `disk`, until what it gives is called. */
  readonly fill: () => () => void;
  /** Ends it, with every container in it. */
  readonly stop: () => void;
}

const programs: Readonly<Record<ContainerEngine, readonly string[]>> = {
  docker: ['dockerd', 'containerd', 'runc', 'unshare', 'ip'],
  podman: ['podman', 'conmon', 'runc', 'unshare'],
};

/** Where each keeps images and containers, as its script has it. */
const stores: Readonly<Record<ContainerEngine, string>> = { docker: 'data', podman: 'graph' };

/** Why a test with this engine cannot run here; null when it can. */
export function missingFor(engine: ContainerEngine): string | null {
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = programs[engine].filter((name) => !onPath(name));
  if (missing.length > 0) return `no ${missing.join(', no ')}`;
  return llamaTree() === null ? 'no unpacked llama-server (tools/live/llama-server.sh)' : null;
}

export function onPath(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** `before`: what stands before a command that is to run on its machine. `network`: podman has one of its own, in place of the machine's.
 * `registry`: a place that podman shall ask over plain HTTP, as Docker asks every one of the loopback. `disk`: images and containers lie on
 * one of their own of that size, which `fill` makes full. */
export async function startBox(
  engine: ContainerEngine,
  {
    before = [],
    network = false,
    registry = '',
    disk = '',
  }: { before?: readonly string[]; network?: boolean; registry?: string; disk?: string } = {},
): Promise<ContainerBox> {
  const folder = mkdtempSync(join(tmpdir(), `berth-${engine}-`));
  // Another user shall fail at the socket, not before it.
  chmodSync(folder, 0o755);
  const script = join(import.meta.dirname, `${engine}-box.sh`);
  const env = {
    ...process.env,
    PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
    INSECURE_REGISTRY: registry,
    BOX_DISK: disk,
  };
  const how = network ? ['--net'] : [];
  function box(verb: string, more: readonly string[] = []): void {
    const [program = '', ...args] = [...before, 'bash', script, verb, folder, ...more];
    execFileSync(program, args, { env, stdio: 'ignore' });
  }
  box('start', how);
  const spaces = network ? ['-n'] : [];
  const api = dockerApi(`unix://${folder}/d.sock`);
  try {
    await until(
      () =>
        api.ask('GET', '/version').then(
          ({ status }) => status === 200,
          () => false,
        ),
      `${engine} to answer`,
      30_000,
    );
  } catch (error) {
    throw new Error(readFileSync(join(folder, 'box.log'), 'utf8'), { cause: error });
  }
  function enter(...argv: string[]): string {
    // Its process has that number where the box was started.
    const line = `exec nsenter -t "$(pgrep -P "$(cat "$0/box.pid")" | head -n 1)" -m -p ${spaces.join(' ')} "$@"`;
    const [program = '', ...args] = [...before, 'sh', '-c', line, folder, ...argv];
    return execFileSync(program, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
  return {
    engine,
    enter,
    fill: () => {
      const file = join(folder, stores[engine], 'full');
      enter('sh', '-c', `cat /dev/zero >'${file}' 2>/dev/null; true`);
      return () => void enter('rm', file);
    },
    before: network ? ['nsenter', '-t', firstIn(folder), '-n'] : [],
    host: `unix://${folder}/d.sock`,
    api,
    stop: () => box('stop'),
  };
}

function firstIn(folder: string): string {
  const pid = readFileSync(join(folder, 'box.pid'), 'utf8').trim();
  return execFileSync('pgrep', ['-P', pid], { encoding: 'utf8' }).split('\n')[0] ?? '';
}

export const llamaImage = 'berth-test/llama:latest';

/** The tree that tools/live/llama-server.sh unpacked, and the backend that it chose for this CPU. */
export function llamaTree(): { root: string; backend: string } | null {
  const wrapper = join(liveBin, 'llama-server');
  if (findTool('llama-server') === null || !existsSync(wrapper)) return null;
  const backend = /GGML_BACKEND_PATH="([^"]+)"/.exec(readFileSync(wrapper, 'utf8'))?.[1];
  const at = backend?.indexOf('/usr/lib/') ?? -1;
  return backend === undefined || at < 0
    ? null
    : { root: realpathSync(backend.slice(0, at)), backend: backend.slice(at) };
}

/** Makes an image of the real llama-server with its own loader, from files of this machine; nothing is fetched. */
export async function importLlama(box: ContainerBox): Promise<{ entrypoint: string[]; backend: string }> {
  const tree = llamaTree();
  if (!tree) throw new Error('there is no unpacked llama-server');
  await importFolder(box, llamaImage, {
    folder: tree.root,
    paths: ['usr/bin/llama-server', 'usr/lib64', 'usr/lib'],
  });
  const lib = '/usr/lib/x86_64-linux-gnu';
  const loader = '/usr/lib64/ld-linux-x86-64.so.2';
  const entrypoint = [loader, '--library-path', `${lib}:${lib}/ggml:${lib}/llama`, '/usr/bin/llama-server'];
  return { entrypoint, backend: tree.backend };
}

/** The name of llama.cpp's own image, which a fleet file has where it says nothing else. */
export const usualLlamaImage = 'ghcr.io/ggml-org/llama.cpp:server';

/** Lays out llama.cpp's own image in a folder; gives what belongs to it, and the variables that it wants. */
export function layUsualLlama(folder: string): { files: string[]; env: string[] } {
  const tree = llamaTree();
  if (!tree) throw new Error('there is no unpacked llama-server');
  mkdirSync(join(folder, 'usr'));
  mkdirSync(join(folder, 'app'));
  for (const name of ['lib', 'lib64']) {
    execFileSync('cp', ['-a', join(tree.root, 'usr', name), join(folder, 'usr', name)]);
    symlinkSync(`usr/${name}`, join(folder, name));
  }
  copyFileSync(join(tree.root, 'usr/bin/llama-server'), join(folder, 'app/llama-server'));
  const lib = '/usr/lib/x86_64-linux-gnu';
  return {
    files: ['app', 'usr', 'lib', 'lib64'],
    env: [`LD_LIBRARY_PATH=${lib}/ggml:${lib}/llama`, `GGML_BACKEND_PATH=${tree.backend}`],
  };
}

/** The same under the name and with the layout of llama.cpp's own image, so that a fleet file need not say otherwise. */
export async function importUsualLlama(box: ContainerBox): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-image-'));
  try {
    const { files, env } = layUsualLlama(folder);
    const changes = env.map((one) => `ENV ${one}`);
    await importFolder(box, usualLlamaImage, { folder, paths: files, changes });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Makes an image of files of this machine. */
export async function importFolder(
  box: ContainerBox,
  image: string,
  { folder, paths, changes = [] }: { folder: string; paths: readonly string[]; changes?: readonly string[] },
): Promise<void> {
  const at = image.lastIndexOf(':');
  const query = new URLSearchParams([
    ['fromSrc', '-'],
    ['repo', image.slice(0, at)],
    ['tag', image.slice(at + 1)],
    ...changes.map((change): [string, string] => ['changes', change]),
  ]);
  const tar = spawn('tar', ['-C', folder, '-c', ...paths], { stdio: ['ignore', 'pipe', 'ignore'] });
  const said = await new Promise<string>((resolve, reject) => {
    const outgoing = http.request(
      {
        socketPath: box.host.slice('unix://'.length),
        method: 'POST',
        path: `/v1.41/images/create?${query.toString()}`,
        headers: { host: 'docker', 'content-type': 'application/x-tar' },
      },
      (incoming) => {
        let said = '';
        incoming.on('data', (chunk: Buffer) => (said += chunk.toString()));
        incoming.on('end', () => resolve(said));
      },
    );
    outgoing.on('error', reject);
    tar.stdout.pipe(outgoing);
  });
  if (!/sha256|[0-9a-f]{64}/.test(said)) throw new Error(`the image could not be made: ${said}`);
}
