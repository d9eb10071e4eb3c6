import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ClusterPlace } from '../src/domain/host-access.ts';
import { localWorld } from '../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../src/kube/cluster-world.ts';
import type { Where } from './docs-runner.ts';
import { berthImageFrom } from './hosts/berth-image.ts';
import { importUsualLlama, missingFor, startBox } from './hosts/container-box.ts';
import { addKserve, missingForKserve, startStandIn } from './hosts/kserve-stand-in.ts';
import {
  busybox,
  missingForCluster,
  missingForServices,
  startCluster,
  startServices,
  usualLlama,
} from './hosts/kube-box.ts';
import type { KubeBox, WriteImage } from './hosts/kube-box.ts';
import { findLlamaServer } from './hosts/llama-server.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './hosts/podman-machine.ts';
import { missingForSsh } from './hosts/missing-for-ssh.ts';
import { missingForSystemd, startSystemdBox } from './hosts/systemd-box.ts';
import { contentOfBytes, startHub, startSmallHub } from './support/hub-server.ts';
import { s3Keys, startS3 } from './support/s3-server.ts';

interface Started extends Where {
  readonly stop: () => Promise<void>;
}

export interface Component {
  readonly there: () => boolean;
  /** Where the blocks run and what they find there, and how it ends. */
  readonly start?: () => Promise<Started>;
}

/** Components that blocks tagged `sh live=NAME` may need, and whether they are there. */
export const components: Readonly<Record<string, Component>> = {
  embedded: {
    there: () => {
      try {
        createRequire(import.meta.url).resolve('node-llama-cpp/package.json');
        return true;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
      }
    },
  },
  'llama-server': {
    there: () => findLlamaServer() !== null,
    start: async () => {
      const hub = await startSmallHub();
      return { env: { HF_ENDPOINT: hub.url, PATH: dirname(findLlamaServer() ?? '') }, stop: hub.stop };
    },
  },
  systemd: {
    there: () => missingForSystemd() === '' && findLlamaServer() !== null,
    start: startWithSystemd,
  },
  ssh: {
    there: () => missingForSsh() === '' && findLlamaServer() !== null,
    start: startWithSsh,
  },
  docker: { there: () => missingFor('docker') === null, start: startWithDocker },
  podman: { there: () => missingForPodmanMachine() === null, start: startWithPodman },
  kubernetes: { there: () => missingForCluster() === null, start: startWithBerthImage },
  // The same, where addresses of Services answer.
  'kube-proxy': {
    there: () => missingForServices() === null,
    start: async () => {
      const { box, stop, ...where } = await startWithCluster([busybox]);
      const stopServices = await startServices(box);
      return {
        ...where,
        stop: async () => {
          try {
            stopServices();
          } finally {
            await stop();
          }
        },
      };
    },
  },
  // A hub and a bucket, for pages that bring a model from one to the other.
  'object-store': { there: signsByCurl, start: startObjectStore },
  kserve: { there: () => missingForKserve() === null, start: startWithKserve },
};

/** The first curl that signs uploads to S3 without reading them first. */
function signsByCurl(): boolean {
  try {
    const told = execFileSync('curl', ['--version'], { encoding: 'utf8' });
    const [, major, minor] = /^curl (\d+)\.(\d+)/.exec(told) ?? [];
    return Number(major) * 1000 + Number(minor) >= 7086;
  } catch {
    return false;
  }
}

async function startObjectStore(): Promise<Started> {
  const hub = await startHub();
  const header = Buffer.from('{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const weights = Buffer.concat([length, header, Buffer.alloc(4, 7)]);
  hub.files.set('model.safetensors', contentOfBytes(weights));
  const config = '{"architectures":["MistralForCausalLM"],"model_type":"mistral"}';
  hub.files.set('config.json', contentOfBytes(Buffer.from(config)));
  hub.files.set('tokenizer.json', contentOfBytes(Buffer.from('{}')));
  const store = await startS3(null);
  store.objects.set('models/empty', Buffer.alloc(0));
  return {
    env: { HF_ENDPOINT: hub.url, PATH: '/usr/bin' },
    filled: { [mistralEnv]: mistralValues(store.url) },
    stop: async () => {
      await store.stop();
      await hub.stop();
    },
  };
}

const mistralEnv = 'examples/mistral-small/.env';

function mistralValues(url: string): string {
  const { id, secret, region } = s3Keys;
  return [
    'HF_TOKEN=hf_of_a_reader',
    `AWS_ENDPOINT_URL=${url}`,
    `AWS_REGION=${region}`,
    `AWS_ACCESS_KEY_ID=${id}`,
    `AWS_SECRET_ACCESS_KEY=${secret}\n`,
  ].join('\n');
}

async function startWithDocker(): Promise<Started> {
  const hub = await startSmallHub();
  const box = await startBox('docker');
  await importUsualLlama(box);
  async function stop(): Promise<void> {
    box.stop();
    await hub.stop();
  }
  return { env: { HF_ENDPOINT: hub.url, DOCKER_HOST: box.host }, stop };
}

/** The hub as a program of another network. */
async function startHubBehind(before: readonly string[]): Promise<string> {
  const program = resolve(import.meta.dirname, 'support/hub-program.ts');
  const [enter, ...words] = [...before, process.execPath, program];
  const hub = spawn(enter, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise<string>((done, fail) => {
    hub.stdout.once('data', (text: Buffer) => done(text.toString().trim()));
    hub.once('error', fail).once('exit', () => fail(new Error('the hub did not start')));
  });
}

/** Whose llama-server lies below /opt, as one that is installed: homes are hidden from units. */
async function startWithSystemd(): Promise<Started> {
  const wrapper = findLlamaServer() ?? '';
  const cache = dirname(dirname(wrapper));
  const box = startSystemdBox([cache]);
  const script = [
    `mkdir -p /opt/llama/bin /opt/llama/llama-cpp && mount --bind '${cache}/llama-cpp' /opt/llama/llama-cpp`,
    `sed 's|${cache}|/opt/llama|g' '${wrapper}' >/opt/llama/bin/llama-server`,
    'chmod 755 /opt/llama/bin/llama-server',
  ].join(' && ');
  const laid = box.enter('sh', '-c', script);
  if (laid.code !== 0) throw new Error(laid.stderr);
  const url = await startHubBehind(box.before);
  return {
    env: { HF_ENDPOINT: url, PATH: '/opt/llama/bin' },
    machine: box,
    // What runs in it ends with it.
    stop: () => Promise.resolve(box.stop()),
  };
}

/** On a machine of its own, whose podman gives its containers a network by a bridge and has not been started. */
async function startWithPodman(): Promise<Started> {
  const box = startPodmanMachine();
  try {
    buildUsualLlama(box);
    const url = await startHubBehind(box.before);
    return { env: { HF_ENDPOINT: url }, machine: box, stop: () => Promise.resolve(box.stop()) };
  } catch (error) {
    box.stop();
    throw error;
  }
}

async function startWithSsh(): Promise<Started> {
  const hub = await startSmallHub();
  const folder = mkdtempSync(join(tmpdir(), 'berth-ssh-'));
  const script = join(import.meta.dirname, 'hosts/ssh-box.sh');
  const programs = dirname(findLlamaServer() ?? '');
  const env = { ...process.env, BOX_PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin` };
  execFileSync(script, ['start', folder], { env, stdio: 'pipe' });
  async function stop(): Promise<void> {
    execFileSync(script, ['stop', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
    await hub.stop();
  }
  return { env: { HF_ENDPOINT: hub.url, PATH: join(folder, 'bin') }, stop };
}

async function startWithCluster(images: WriteImage[]): Promise<Started & { box: KubeBox }> {
  const hub = await startSmallHub();
  const box = await startCluster([usualLlama, ...images]);
  async function stop(): Promise<void> {
    box.stop();
    await hub.stop();
  }
  const programs = process.env['KUBEBUILDER_ASSETS'] ?? '';
  return { env: { HF_ENDPOINT: hub.url, KUBECONFIG: box.kubeconfig, PATH: programs }, box, stop };
}

/** With the image of berth itself, by the name that the page has for it. */
async function startWithBerthImage(): Promise<Started> {
  const tree = mkdtempSync(join(tmpdir(), 'berth-tree-'));
  try {
    const script = resolve(import.meta.dirname, '../scripts/image.mjs');
    execFileSync('node', [script, join(tree, 'image')], { stdio: 'ignore' });
    return await startWithCluster([berthImageFrom(join(tree, 'image'), 'registry.lab/berth:0.1.0')]);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** What stands in for KServe looks after the namespaces of the pages; there is a disk for a claim. */
async function startWithKserve(): Promise<Started> {
  const { box, stop, ...where } = await startWithCluster([busybox]);
  const disk = mkdtempSync(join(tmpdir(), 'berth-disk-'));
  chmodSync(disk, 0o755);
  await addKserve(box);
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      hostPath: { path: disk },
    },
  };
  execFileSync('kubectl', ['apply', '-f', '-'], {
    env: {
      ...process.env,
      KUBECONFIG: box.kubeconfig,
      PATH: `${process.env['KUBEBUILDER_ASSETS']}:${process.env['PATH']}`,
    },
    input: JSON.stringify(volume),
  });
  const standIns = await Promise.all(
    ['llm', 'private-ai-demo'].map(async (namespace) => {
      const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
      return startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    }),
  );
  return {
    ...where,
    filled: { [mistralEnv]: mistralValues('https://minio.lab') },
    stop: async () => {
      for (const standIn of standIns) await standIn.stop();
      await stop();
      rmSync(disk, { recursive: true, force: true });
    },
  };
}
