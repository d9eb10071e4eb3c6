import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { until } from '../support/berth.ts';
import { clusterScript } from './cluster-script.ts';
import type { SystemdBox } from './systemd-box.ts';
import { layUsualLlama, llamaTree, onPath, usualLlamaImage } from './container-box.ts';

/** A cluster of a test's own: the real control plane, containerd and kubelet. */
export interface KubeBox {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly address: string;
  /** Its standard output; throws what it says when it fails. */
  readonly kubectl: (...args: string[]) => string;
  /** The same, while the test goes on with what else it does. */
  readonly kubectlBeside: (...args: string[]) => Promise<string>;
  readonly stop: () => void;
}

const binaries = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kubectl',
];
const programs = ['containerd', 'ctr', 'runc', 'catatonit', 'busybox', 'unshare', 'ip', 'openssl', 'curl'];

/** Why a test that asks addresses of Services cannot run here; null when it can. */
export function missingForServices(): string | null {
  const there = existsSync(join(process.env['KUBEBUILDER_ASSETS'] ?? '', 'kube-proxy'));
  return missingForCluster() ?? (there ? null : 'no kube-proxy');
}

/** Has addresses of Services answer, by kube-proxy on the node, until what it gives is called. */
export async function startServices({ folder, address }: KubeBox): Promise<() => void> {
  clusterScript('proxy', folder);
  await until(async () => {
    try {
      return (await fetch(`http://${address}:20256/healthz`)).ok;
    } catch {
      return false;
    }
  }, 'kube-proxy to have written its rules');
  return () => clusterScript('unproxy', folder);
}

/** Why a test with a cluster cannot run here; null when it can. */
export function missingForCluster(): string | null {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (!folder) return 'KUBEBUILDER_ASSETS names no folder with the programs of Kubernetes';
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = [
    ...binaries.filter((name) => !existsSync(join(folder, name))),
    ...programs.filter((name) => !onPath(name)),
  ];
  if (missing.length > 0) return `no ${missing.join(', no ')}`;
  return llamaTree() === null ? 'no unpacked llama-server (tools/live/llama-server.sh)' : null;
}

export const llamaImage = 'localhost/llama:1';
/** It does nothing until it is ended. */
export const pauseImage = 'localhost/pause:1';

const lib = '/usr/lib/x86_64-linux-gnu';

/** What is run in that image, before the engine's arguments. */
export const llamaProgram = [
  '/usr/lib64/ld-linux-x86-64.so.2',
  '--library-path',
  `${lib}:${lib}/ggml:${lib}/llama`,
  '/usr/bin/llama-server',
];

/**
 * The cluster of this run: whoever needs it first starts it, and it ends with the run. It has the usual images, and `more`.
 * `stop` takes away what was put into it; node and control plane go on.
 */
export async function startCluster(more: WriteImage[] = []): Promise<KubeBox> {
  const folder = inject('cluster');
  const isThere = existsSync(join(folder, 'box.pid'));
  const images = join(folder, isThere ? 'more' : 'images');
  mkdirSync(images, { recursive: true });
  writeImages(images, isThere ? more : [pause, llama, ...more]);
  const box = boxIn(folder);
  if (!isThere) await begin(box);
  else
    for (const file of readdirSync(images)) {
      const ctr = ['-a', join(folder, 'ctd.sock'), '-n', 'k8s.io', 'images', 'import', join(images, file)];
      execFileSync('ctr', ctr, { stdio: 'ignore' });
      rmSync(join(images, file));
    }
  return box;
}

function boxIn(folder: string): KubeBox {
  const kubeconfig = join(folder, 'kubeconfig');
  const bin = process.env['KUBEBUILDER_ASSETS'] ?? '';
  const common = ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl')];
  const maxBuffer = 64 * 1024 * 1024;
  function kubectl(...args: string[]): string {
    return execFileSync(join(bin, 'kubectl'), [...common, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer,
    });
  }
  return {
    folder,
    kubeconfig,
    get address() {
      return readFileSync(join(folder, 'address'), 'utf8').trim();
    },
    kubectl,
    kubectlBeside: async (...args) =>
      (await promisify(execFile)(join(bin, 'kubectl'), [...common, ...args], { maxBuffer })).stdout,
    stop: () => sweep(kubectl),
  };
}

async function begin({ folder, kubectl }: KubeBox): Promise<void> {
  clusterScript('start', folder);
  try {
    await until(() => Promise.resolve(isReady(kubectl)), 'the node to be ready', 150_000);
  } catch (error) {
    const logs = ['kube-apiserver', 'kubelet', 'containerd'].map((name) => tailOf(folder, name));
    clusterScript('stop', folder);
    throw new Error(logs.join('\n'), { cause: error });
  }
}

/** As many GPUs as the node says that it had; none are there. */
export function setGpus(kubectl: KubeBox['kubectl'], count: number | null): void {
  const amounts = { 'nvidia.com/gpu': count === null ? null : String(count) };
  const patch = JSON.stringify({ status: { capacity: amounts, allocatable: amounts } });
  kubectl('patch', 'node', 'node1', '--subresource=status', '--type=merge', '-p', patch);
}

/** As a cluster of its own would end: with all that is not the cluster's. */
function sweep(kubectl: KubeBox['kubectl']): void {
  const own = /^namespace\/(default|kube-.*)$/;
  const namespaces = kubectl('get', 'namespaces', '-o', 'name')
    .split('\n')
    .filter((name) => name !== '' && !own.test(name));
  kubectl('delete', 'pods', '--all', '--all-namespaces', '--grace-period=0', '--force', '--ignore-not-found');
  if (namespaces.length > 0) kubectl('delete', ...namespaces, '--timeout=120s');
  kubectl('delete', 'persistentvolumes', '--all', '--timeout=60s');
  setGpus(kubectl, null);
}

/** Makes a machine of a test's own the one node of a cluster; it ends with the machine, which has been started as a `node`. */
export async function startClusterIn(
  machine: SystemdBox,
  more: WriteImage[] = [],
): Promise<Pick<KubeBox, 'kubeconfig' | 'kubectl'>> {
  const bin = process.env['KUBEBUILDER_ASSETS'] ?? '';
  const folder = join(machine.folder, 'node');
  mkdirSync(join(folder, 'images'), { recursive: true });
  writeImages(join(folder, 'images'), [pause, ...more]);
  const script = join(import.meta.dirname, 'kube-box.sh');
  const env = [`BIN=${bin}`, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'].flatMap((one) => ['-E', one]);
  const ran = machine.enter('systemd-run', '--unit=node', ...env, 'bash', script, 'inside', folder);
  if (ran.code !== 0) throw new Error(ran.stderr);
  const kubeconfig = join(folder, 'kubeconfig');
  function kubectl(...args: string[]): string {
    const words = [join(bin, 'kubectl'), '--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl')];
    const { code, stdout, stderr } = machine.enter(...words, ...args);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }
  try {
    await until(() => Promise.resolve(isReady(kubectl)), 'the node to be ready', 150_000);
  } catch (error) {
    const logs = ['kube-apiserver', 'kubelet', 'containerd'].map((name) => tailOf(folder, name));
    throw new Error([...logs, machine.enter('journalctl', '-u', 'node', '-n', '20').stdout].join('\n'), {
      cause: error,
    });
  }
  return { kubeconfig, kubectl };
}

function isReady(kubectl: KubeBox['kubectl']): boolean {
  try {
    const told = kubectl(
      'get',
      'node',
      'node1',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
    );
    // Pods wait for the account that the control plane makes.
    return told === 'True' && kubectl('get', 'serviceaccount', 'default', '-o', 'name') !== '';
  } catch {
    return false;
  }
}

function tailOf(folder: string, name: string): string {
  const path = join(folder, 'logs', `${name}.log`);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : 'no log';
  return `== ${name}\n${text.split('\n').slice(-25).join('\n')}`;
}

/** Images from files of this machine, as "docker save" writes them; nothing is fetched. */
function writeImages(folder: string, writes: readonly WriteImage[]): void {
  const work = mkdtempSync(join(tmpdir(), 'berth-images-'));
  try {
    for (const write of writes) image(folder, work, write(mkdtempSync(join(work, 'tree-'))));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function pause(folder: string): Image {
  copyFileSync(programPath('catatonit'), join(folder, 'pause'));
  return { name: pauseImage, from: folder, files: ['pause'], entrypoint: ['/pause', '-P'] };
}

function llama(): Image {
  const tree = llamaTree();
  if (!tree) throw new Error('there is no unpacked llama-server');
  const files = ['usr/bin/llama-server', 'usr/lib64', 'usr/lib'];
  return { name: llamaImage, from: tree.root, files, entrypoint: [] };
}

/** What pods ask others by: busybox of this machine, under the name that the docs have it. */
export function busybox(folder: string): Image {
  mkdirSync(join(folder, 'bin'));
  copyFileSync(programPath('busybox'), join(folder, 'bin/busybox'));
  for (const name of ['timeout', 'wget']) symlinkSync('busybox', join(folder, 'bin', name));
  return { name: 'docker.io/library/busybox:1.37', from: folder, files: ['bin'], entrypoint: [] };
}

function programPath(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

export interface Image {
  readonly name: string;
  readonly from: string;
  readonly files: readonly string[];
  readonly entrypoint: readonly string[];
  readonly env?: readonly string[];
  /** As numbers; absent: root. */
  readonly user?: string;
}

/** Lays its files into the folder and says what the image is. */
export type WriteImage = (folder: string) => Image;

/** llama.cpp as a fleet file has it that names no image. */
export function usualLlama(folder: string): Image {
  return { name: usualLlamaImage, from: folder, entrypoint: [], ...layUsualLlama(folder) };
}

function image(folder: string, work: string, of: Image): void {
  const parts = mkdtempSync(join(work, 'image-'));
  execFileSync('tar', ['-C', of.from, '-cf', join(parts, 'layer.tar'), ...of.files]);
  const layer = createHash('sha256')
    .update(readFileSync(join(parts, 'layer.tar')))
    .digest('hex');
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: of.entrypoint, Env: of.env ?? [], User: of.user ?? '' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created_by: 'a test' }],
  });
  const name = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(join(parts, name), config);
  writeFileSync(
    join(parts, 'manifest.json'),
    JSON.stringify([{ Config: name, RepoTags: [of.name], Layers: ['layer.tar'] }]),
  );
  const file = `${of.name.replaceAll(/[/:]/g, '-')}.tar`;
  execFileSync('tar', ['-C', parts, '-cf', join(folder, file), 'manifest.json', name, 'layer.tar']);
}

/** The status of a completion; 0: it did not answer. */
export async function complete(url: string | null, key?: string): Promise<number> {
  try {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model: 'toy', prompt: 'a', max_tokens: 4 }),
      signal: AbortSignal.timeout(20_000),
    });
    await reply.arrayBuffer();
    return reply.status;
  } catch {
    return 0;
  }
}
