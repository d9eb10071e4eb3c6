import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

const least = 1024 ** 3;

export const missingShm: Rule = {
  id: 'missing-shm',
  severity: 'warning',
  finds:
    'a vLLM or SGLang over several GPUs with the 64 MiB of shared memory that containers have by default',
  why: 'Its workers exchange tensors there, and hang or die when it is full.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, ({ containers }) =>
      containers
        .filter(
          (one) => parallel(one.starts) && !one.shares.includes('ipc') && (one.shmBytes ?? least) < least,
        )
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `It has ${Math.round((one.shmBytes ?? 0) / 1024 ** 2)} MiB of shared memory.`,
          evidence: [`ShmSize ${one.shmBytes}`, `it computes on ${gpusOf(one.starts.options)} GPUs`],
          cure: 'Start it with --shm-size 8g or --ipc=host (shm: 8Gi of its target).',
        })),
    ),
    ...pods
      .filter(({ server, workload: { pod, partial }, container }) => {
        const mounts = (container.volumeMounts ?? []).filter(
          (one) => one.mountPath.replace(/\/+$/, '') === '/dev/shm',
        );
        const memory = (pod.volumes ?? []).filter(
          (one) => one.emptyDir?.medium === 'Memory' || one.hostPath?.path.startsWith('/dev/shm'),
        );
        return (
          parallel(server) &&
          !partial &&
          !pod.hostIPC &&
          !mounts.some((one) => memory.some((two) => two.name === one.name))
        );
      })
      .map(({ workload: { object }, server }) => ({
        object: titleOf(object),
        names: [object.metadata.name],
        message: 'Nothing of memory is mounted at /dev/shm.',
        evidence: [
          `it computes on ${gpusOf(server.options)} GPUs`,
          'no emptyDir of medium Memory at /dev/shm',
        ],
        cure: 'Mount an emptyDir with medium: Memory there.',
      })),
  ],
};

function parallel({
  engine,
  options,
}: {
  engine: string;
  options: Readonly<Record<string, unknown>>;
}): boolean {
  return ['vllm', 'sglang'].includes(engine) && gpusOf(options) > 1;
}

function gpusOf(options: Readonly<Record<string, unknown>>): number {
  return Number(options['tensorParallel'] ?? 1) * Number(options['pipelineParallel'] ?? 1);
}
