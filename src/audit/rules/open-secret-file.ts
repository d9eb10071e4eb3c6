import { quoteWord } from '../../domain/command-line/quote-word.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { ObservedFleet, ObservedUnit } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const openSecretFile: Rule = {
  id: 'open-secret-file',
  severity: 'warning',
  finds: 'a file with a key or token that every user of the machine can read',
  why: 'A secret that lies open is none.',
  find: ({ hosts, fleet }) => [
    ...perHost(hosts, ({ units }) => units.flatMap(ofUnit)),
    ...perHost(hosts, (host) =>
      host.servers
        .filter((server) => server.openSecrets.length > 0)
        .map((server) => ({
          ...subjectOf(server, host),
          message: `Every user of the machine can read its ${server.openSecrets.length === 1 ? 'secret' : 'secrets'}.`,
          evidence: server.openSecrets.map((path) => `${path} can be read by all.`),
          cure: 'Take the right to read it from all others, then change the secret.',
          ...(isInside(server, fleet)
            ? { commands: [] }
            : { commands: server.openSecrets.map((path) => `chmod o-rwx ${quoteWord(path)}`) }),
          ...(server.mark !== null && server.mark.fleet === fleet?.name && !isInside(server, fleet)
            ? {
                fix: {
                  deployments: [],
                  restart: false,
                  close: { pid: server.process.pid, paths: server.openSecrets },
                },
              }
            : {}),
        })),
    ),
  ],
};

/** systemd reads them as root before the program starts, so that they may be closed to all others. */
function ofUnit({ name, openSecrets }: ObservedUnit): Found[] {
  if (openSecrets.length === 0) return [];
  return [
    {
      object: name,
      names: [name],
      message: `Every user of the machine can read the ${openSecrets.length === 1 ? 'secret' : 'secrets'} that it gives its server.`,
      evidence: openSecrets.map((path) => `EnvironmentFile=${path} holds a secret, and can be read by all.`),
      cure: 'Take the right to read it from all others, then change the secret.',
      commands: openSecrets.map((path) => `chmod o-rwx ${quoteWord(path)}`),
    },
  ];
}

/** In a container the path is one of its own, which names another file here. */
function isInside({ owner, mark }: ScannedServer, fleet: ObservedFleet | null): boolean {
  const own = fleet?.instances.find(
    (one) => one.deployment === mark?.deployment && one.replica === mark.replica,
  );
  return ['container', 'pod'].includes(owner.kind) || (own?.object.startsWith('container ') ?? false);
}
