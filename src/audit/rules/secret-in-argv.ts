import { podContainers } from './pod-containers.ts';
import { writtenFlagsOf } from '../../domain/command-line/written-secret.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import { unseenContainers } from '../../domain/audit/container-server.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

const advice: Readonly<Record<string, string>> = {
  // It reads a token of the Hub from no file.
  'llama.cpp':
    'Give llama-server the key by --api-key-file; what wants a token of Hugging Face, fetch first by "berth pull", and name its file.',
  vllm: 'Give vLLM the key in a configuration file that only its user can read (--config).',
};

export const secretInArgv: Rule = {
  id: 'secret-in-argv',
  severity: 'warning',
  finds: 'a key or token on a command line',
  why: 'Every user of the machine can read it there.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const flags = writtenFlagsOf(server.command);
        if (flags.length === 0) return [];
        const how = advice[server.engine] ?? 'Give it the secret in a file that only its user can read.';
        return [
          {
            ...subjectOf(server, host),
            message: 'A secret stands on its command line, which every user of this machine can read.',
            evidence: [`${flags.join(', ')} in the command line of process ${server.process.pid}.`],
            cure: `${how} Then change the secret.`,
          },
        ];
      }),
    ),
    ...perHost(hosts, ({ units }) =>
      units
        .filter((unit) => unit.active !== 'active')
        .flatMap(({ name, path, starts }) => {
          const flags = writtenFlagsOf(starts.command);
          if (flags.length === 0) return [];
          const how = advice[starts.engine] ?? 'Give it the secret in a file that only its user can read.';
          return [
            {
              object: name,
              names: [name],
              message:
                'A secret stands on the command line of its definition, which every user can ask systemd for.',
              evidence: [`${flags.join(', ')} in ExecStart of ${path}.`],
              cure: `${how} Then change the secret.`,
            },
          ];
        }),
    ),
    ...perHost(hosts, (host) => unseenContainers(host).flatMap(ofContainer)),
    ...podContainers(pods).flatMap(({ workload: { object }, container, command }) => {
      const flags = writtenFlagsOf(command);
      if (flags.length === 0) return [];
      return [
        {
          object: titleOf(object),
          names: [object.metadata.name],
          message: 'A secret stands in the arguments of its template, for whoever may read it.',
          evidence: [`${flags.join(', ')} in the arguments of container ${container.name}.`],
          cure: 'Keep it in a Secret, mounted as a file or named by valueFrom.secretKeyRef. Then change it.',
        },
      ];
    }),
  ],
};

function ofContainer({ name, tool, starts }: ObservedContainer): Found[] {
  const flags = writtenFlagsOf(starts.command);
  if (flags.length === 0) return [];
  const how = advice[starts.engine] ?? 'Give it the secret in a file that only its user can read.';
  return [
    {
      object: `container ${name}`,
      names: [name],
      message: 'A secret stands on its command line, for whoever may inspect it or list processes.',
      evidence: [`${flags.join(', ')} in what "${tool} inspect" shows of ${name}.`],
      cure: `${how} Then change the secret.`,
    },
  ];
}
