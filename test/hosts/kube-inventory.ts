import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { KubeBox } from './kube-box.ts';
import { listenersIn } from './suite/inventory.ts';

/** What a cluster writes down of what happens in it, and forgets by itself. */
const diaries = /^events(\.|$)|^componentstatuses$/;

/** The node's word that it lives, which it gives again when it lapses. */
const heartbeat = / Lease kube-node-lease\//;

/** Every object of every kind that the server knows, in all namespaces. */
export function objectsIn({ kubectl }: Pick<KubeBox, 'kubectl'>): string[] {
  const kinds = linesOf(kubectl('api-resources', '--verbs=list', '-o', 'name')).filter(
    (kind) => !diaries.test(kind),
  );
  const each =
    '{range .items[*]}{.apiVersion} {.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid}{"\\n"}{end}';
  return linesOf(
    kubectl('get', kinds.join(','), '--all-namespaces', '--ignore-not-found', '-o', `jsonpath=${each}`),
  )
    .filter((line) => !heartbeat.test(line))
    .map((line) => `object ${line}`)
    .toSorted();
}

/**
 * What its node has made of the objects: containers that run, their control groups, folders, addresses and network devices,
 * and who listens. Not looked for are containers that have ended, which the kubelet sweeps once a minute, and what the first pod of a node
 * makes for all: the bridge, and the control groups above those of pods.
 */
export function nodeOf(box: KubeBox): string[] {
  const name = basename(box.folder);
  const first = execFileSync('pgrep', ['-P', readFileSync(join(box.folder, 'box.pid'), 'utf8').trim()], {
    encoding: 'utf8',
  }).split('\n')[0];
  function there(...argv: string[]): string[] {
    return linesOf(execFileSync('nsenter', ['-t', first ?? '', '-n', ...argv], { encoding: 'utf8' }));
  }
  const tasks = ['-a', join(box.folder, 'ctd.sock'), '-n', 'k8s.io', 'tasks', 'ls', '-q'];
  return [
    ...linesOf(execFileSync('ctr', tasks, { encoding: 'utf8' })).map((line) => `container ${line}`),
    ...groupsOf(name)
      .filter((path) => /\/pod[0-9a-f]/.test(path))
      .map((path) => `cgroup ${path}`),
    ...namesIn(join(box.folder, 'kroot/pods')).map((pod) => `folder of pod ${pod}`),
    ...namesIn(join(box.folder, 'ipam/box'))
      .filter((file) => /^\d/.test(file))
      .map((address) => `address ${address}`),
    ...there('ip', '-o', 'link')
      .map((line) => `device ${line.split(': ')[1]}`)
      .filter((line) => line !== 'device cni0'),
    ...listenersIn(there('cat', '/proc/net/tcp').join('\n')),
  ].toSorted();
}

/** Processes of a pod, by a part of their command line, as this machine counts them. */
export function processesOfPod(uid: string, part: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return (
          Number.isInteger(pid) &&
          readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`pod${uid}`) &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(part)
        );
      } catch {
        return false;
      }
    });
}

function groupsOf(name: string): string[] {
  return readdirSync('/sys/fs/cgroup').flatMap((controller) => {
    const folder = join('/sys/fs/cgroup', controller, name);
    if (!existsSync(folder)) return [];
    return linesOf(execFileSync('find', [folder, '-type', 'd'], { encoding: 'utf8' }));
  });
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
