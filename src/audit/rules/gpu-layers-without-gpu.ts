import { titleOf } from '../../domain/audit/kube-object.ts';
import { hasFlag } from '../../domain/command-line/flags.ts';
import { serverOf } from '../../domain/audit/container-server.ts';
import type { ObservedContainer, ObservedHost } from '../../domain/audit/observation.ts';
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
    ...perHost(hosts, (host) =>
      host.containers
        .filter(
          ({ state }) =>
            state !== 'running' || host.hardware.gpus.length > 0 || host.gpuDevices?.length !== 0,
        )
        .filter(({ starts }) => computesHere(starts))
        .flatMap((one) => {
          const why = whyNoGpu(one, host);
          const subject = { object: `container ${one.name}`, names: [one.name] };
          return why === null ? [] : judge(one.starts.options['gpuLayers'], why, subject);
        }),
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
function computesHere({ command }: { readonly command: readonly string[] }): boolean {
  return !hasFlag(command, '--rpc');
}

/** What its process holds of a GPU counts more than what its definition shows. */
function whyNoGpu(container: ObservedContainer, host: ObservedHost): string | null {
  if (cpuImage.test(container.image)) return `${container.image} is built for the CPU.`;
  const holds = (serverOf(container, host)?.gpuBytes ?? 0) > 0;
  return container.hasGpu === false && !holds ? 'Its container is given no GPU.' : null;
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
