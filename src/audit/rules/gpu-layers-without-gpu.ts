import { titleOf } from '../../domain/audit/kube-object.ts';
import { hasFlag } from '../../domain/command-line/flags.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Images of llama.cpp that are built for the CPU alone: ":server", ":server-b6000", ":full", ":light". */
const cpuImage = /llama\.cpp:(server|full|light)(-b\d+)?(@|$)/;

export const gpuLayersWithoutGpu: Rule = {
  id: 'gpu-layers-without-gpu',
  severity: 'warning',
  finds: 'layers that are to lie on a GPU where there is none, or with an image built for the CPU',
  why: 'The flag is ignored without a word, and the model computes on the CPU.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
      host.hardware.gpus.length > 0 || host.gpuDevices?.length !== 0
        ? []
        : host.servers.filter(computesHere).flatMap((server) =>
            judge(server.options['gpuLayers'], 'This machine has no device of a GPU.', {
              ...subjectOf(server, host),
            }),
          ),
    ),
    // Where the machine has no GPU, what runs in a container is told as a server.
    ...perHost(hosts, ({ containers, hardware, gpuDevices }) =>
      containers
        .filter(({ state }) => state !== 'running' || hardware.gpus.length > 0 || gpuDevices?.length !== 0)
        .filter(({ image }) => cpuImage.test(image))
        .flatMap(({ name, image, starts }) =>
          judge(starts.options['gpuLayers'], `${image} is built for the CPU.`, {
            object: `container ${name}`,
            names: [name],
          }),
        ),
    ),
    ...pods.flatMap(({ workload, container, server, gpus }) => {
      const subject = { object: titleOf(workload.object), names: [workload.object.metadata.name] };
      if (cpuImage.test(container.image ?? ''))
        return judge(server.options['gpuLayers'], `${container.image} is built for the CPU.`, subject);
      return gpus > 0 || workload.partial
        ? []
        : judge(server.options['gpuLayers'], 'Its container is given no GPU.', subject);
    }),
  ],
};

/** With --rpc the layers lie on GPUs of other machines. */
function computesHere({ command }: ScannedServer): boolean {
  return !hasFlag(command, '--rpc');
}

function judge(layers: unknown, why: string, subject: { object: string; names: string[] }): Found[] {
  const asks = layers === 'all' || (typeof layers === 'number' && layers > 0);
  if (!asks) return [];
  return [
    {
      ...subject,
      message: `It asks for ${layers} layers on a GPU, and computes on the CPU.`,
      evidence: [`--n-gpu-layers ${layers}`, why],
      cure: 'Give it a GPU and a build for it, or say 0 layers, so that nobody counts on more.',
    },
  ];
}
