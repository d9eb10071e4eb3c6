import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { until } from '../support/berth.ts';
import { missingForCluster, startClusterIn } from './kube-box.ts';
import type { Image, KubeBox } from './kube-box.ts';
import type { SystemdBox } from './systemd-box.ts';

const root = resolve(import.meta.dirname, '../..');
const podUid = '0f3c9a52-1111-2222-3333-444455556666';

/** A pod on the machine of a story, in a network of its own, with the rest of what its cluster has. */
export interface StoryPod {
  /** Who runs it, for the title. */
  readonly by: string;
  /** What "berth audit" is told to look at, and in which environment. */
  readonly audited: { readonly words: readonly string[]; readonly env: Record<string, string> };
  /** The context of kubectl, where there is a real cluster. */
  readonly cluster: { readonly context: string; readonly kubectl: KubeBox['kubectl'] } | null;
  readonly address: string;
}

/** How the pod can be had here: by a kubelet on that machine, else by a double of it. */
export const kubelet: boolean = missingForCluster() === null;

/** Starts the pod. `objects`: manifests in YAML, in the namespace "llm"; the pod is that of the Deployment "mistral". */
export function startPod(
  box: SystemdBox,
  { objects, command }: { objects: string; command: readonly string[] },
): Promise<StoryPod> {
  writeFileSync(join(box.folder, 'objects.yaml'), objects);
  return kubelet ? podByKubelet(box) : podByDouble(box, command);
}

async function podByKubelet(box: SystemdBox): Promise<StoryPod> {
  const { kubectl, kubeconfig } = await startClusterIn(box, [usrImage]);
  kubectl('create', 'namespace', 'llm');
  await until(() => {
    try {
      return kubectl('-n', 'llm', 'get', 'serviceaccount', 'default', '-o', 'name') !== '';
    } catch {
      return false;
    }
  }, 'the account of the namespace');
  kubectl('apply', '-f', join(box.folder, 'objects.yaml'));
  const told = await until(() => {
    const pod = kubectl(
      '-n',
      'llm',
      'get',
      'pod',
      '-o',
      'jsonpath={.items[*].status.podIP} {.items[*].status.containerStatuses[*].ready}',
    );
    return pod.endsWith(' true') ? pod : null;
  }, 'the pod to be ready');
  return {
    by: 'a kubelet on that machine',
    audited: { words: ['--context', 'box'], env: { KUBECONFIG: kubeconfig } },
    cluster: { context: 'box', kubectl },
    address: told.split(' ')[0] ?? '',
  };
}

/** What a program of this machine needs lies below /usr, which the pod mounts. */
function usrImage(folder: string): Image {
  mkdirSync(join(folder, 'usr'));
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(folder, name));
  return { name: 'localhost/usr:1', from: folder, files: ['.'], entrypoint: [] };
}

/** Folders of this machine that the pod has under the same names, as volumes and mounts of a manifest. */
export function hostFolders(box: SystemdBox): { volumes: unknown[]; volumeMounts: unknown[] } {
  const folders = ['/usr', box.folder, root, dirname(dirname(process.execPath))];
  const apart = folders.filter(
    (one, at) => !folders.some((other, i) => i !== at && one.startsWith(`${other}/`)),
  );
  return {
    volumes: apart.map((path, i) => ({ name: `folder-${i}`, hostPath: { path } })),
    volumeMounts: apart.map((mountPath, i) => ({ name: `folder-${i}`, mountPath })),
  };
}

/** A process in a network and a control group of its own, as a kubelet has its pods; the cluster's objects are a file. */
function podByDouble(box: SystemdBox, command: readonly string[]): Promise<StoryPod> {
  const group = `/sys/fs/cgroup/systemd/kubepods/burstable/pod${podUid}/${'c0ffee'.padEnd(64, '0')}`;
  const script = [
    'ip netns add pod',
    'ip link add cable type veth peer name eth0 netns pod',
    'ip addr add 10.77.0.1/24 dev cable',
    'ip link set cable up',
    'ip -n pod addr add 10.77.0.2/24 dev eth0',
    'ip -n pod link set eth0 up',
    'ip -n pod link set lo up',
    `mkdir -p ${group}`,
    `setsid sh -c 'echo $$ >${group}/cgroup.procs; exec ip netns exec pod ${command.join(' ')}' >/dev/null 2>&1 </dev/null &`,
  ];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'mistral-0',
      namespace: 'llm',
      uid: podUid,
      labels: { app: 'mistral' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'mistral' }],
    },
  };
  appendFileSync(join(box.folder, 'objects.yaml'), `\n---\n${JSON.stringify(pod)}\n`);
  const { stderr } = box.enter('sh', '-ec', script.join('\n'));
  if (stderr !== '') throw new Error(stderr);
  return Promise.resolve({
    by: 'a double of a kubelet',
    audited: { words: ['--objects', 'objects.yaml'], env: {} },
    cluster: null,
    address: '10.77.0.2',
  });
}
