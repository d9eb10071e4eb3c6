import { podContainers } from './pod-containers.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import { showsSecret } from '../../domain/audit/secret-variable.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const secretInEnvironment: Rule = {
  id: 'secret-in-environment',
  severity: 'warning',
  finds: 'a token or key in the environment of a container or of a unit, or as plain text in a pod template',
  why: 'It shows to whoever may inspect the container, ask systemd or read the object, and stays in backups.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, ({ containers }) =>
      containers
        .filter((one) => one.secretVariables.length > 0)
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `Its environment shows ${one.secretVariables.join(', ')} to whoever may inspect it.`,
          evidence: one.secretVariables.map((name) => `${name} is set in the environment of ${one.name}.`),
          cure: `${adviceFor(one)} Then change it.`,
        })),
    ),
    ...perHost(hosts, ({ units, containers }) =>
      units.flatMap((unit) => {
        // Its container shows them itself.
        const told = containers.find((one) => one.name === unit.container)?.secretVariables ?? [];
        const shown = unit.secretVariables.filter((name) => !told.includes(name));
        if (shown.length === 0) return [];
        return [
          {
            object: unit.name,
            names: [unit.name],
            message: `Its definition shows ${shown.join(', ')} to every user who asks systemd for it.`,
            evidence: shown.map((name) => `${name} is set in ${[unit.path, ...unit.dropIns].join(' or ')}.`),
            cure: 'Keep it in a file of mode 600 that EnvironmentFile= or LoadCredential= names. Then change it.',
          },
        ];
      }),
    ),
    ...podContainers(pods).flatMap(({ workload, container }) => {
      const plain = (container.env ?? []).filter(showsSecret);
      if (plain.length === 0) return [];
      return [
        {
          object: titleOf(workload.object),
          names: [workload.object.metadata.name],
          message: `Its template holds ${plain.map(({ name }) => name).join(', ')} as plain text.`,
          evidence: plain.map(({ name }) => `env ${name} of container ${container.name} has a value.`),
          cure: 'Keep it in a Secret and name that by valueFrom.secretKeyRef. Then change it.',
        },
      ];
    }),
  ],
};

/** llama-server reads a token of the Hub from no file. */
function adviceFor({ starts, secretVariables }: ObservedContainer): string {
  if (starts.engine !== 'llama.cpp')
    return 'Mount the secret as a file and name it by HF_TOKEN_PATH or --api-key-file.';
  return secretVariables.includes('HF_TOKEN')
    ? 'Fetch the model first by "berth pull", mount its file, and leave HF_TOKEN out; a key is named by --api-key-file.'
    : 'Mount the key as a file and name it by --api-key-file.';
}
