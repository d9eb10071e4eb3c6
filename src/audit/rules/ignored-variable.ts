import { titleOf } from '../../domain/audit/kube-object.ts';
import { ownContainers, serverOf } from '../../domain/audit/container-server.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const ignoredVariable: Rule = {
  id: 'ignored-variable',
  severity: 'warning',
  finds: 'a variable of the environment that the engine ignores, because it is misspelt or no longer read',
  why: 'Nothing says so: the server runs with its default.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
      host.servers
        .filter((server) => server.ignored.length > 0)
        .map((server) => ({
          ...subjectOf(server, host),
          message: `It ignores ${server.ignored.map(({ name }) => name).join(', ')}.`,
          evidence: server.ignored.map(({ name, meant }) => `${name} is not read; ${meant} is.`),
          cure: `Say it as ${server.ignored.map(({ meant }) => meant).join(', ')}.`,
        })),
    ),
    ...perHost(hosts, ofUnits),
    ...perHost(hosts, (host) =>
      ownContainers(host).flatMap((one) => {
        const told = serverOf(one, host)?.ignored.map(({ name }) => name) ?? [];
        const ignored = one.ignored.filter(({ name }) => !told.includes(name));
        if (ignored.length === 0) return [];
        return [
          {
            object: `container ${one.name}`,
            names: [one.name],
            message: `Its server ignores ${ignored.map(({ name }) => name).join(', ')}.`,
            evidence: ignored.map(({ name, meant }) => `${name} is not read; ${meant} is.`),
            cure: `Say it as ${ignored.map(({ meant }) => meant).join(', ')}.`,
          },
        ];
      }),
    ),
    ...pods
      .filter(({ ignored }) => ignored.length > 0)
      .map(({ workload: { object }, container, ignored }) => ({
        object: titleOf(object),
        names: [object.metadata.name],
        message: `Its container ${container.name} ignores ${ignored.map(({ name }) => name).join(', ')}.`,
        evidence: ignored.map(({ name, meant }) => `${name} is not read; ${meant} is.`),
        cure: `Say it as ${ignored.map(({ meant }) => meant).join(', ')}.`,
      })),
  ],
};

/** What its server or its container tells itself is not told again; of a unit that nothing starts the file is of no account. */
function ofUnits({ units, servers, containers }: ObservedHost): Found[] {
  return units.flatMap((unit) => {
    if (unit.active !== 'active' && unit.enabled === false) return [];
    const told = [
      ...servers.filter(({ owner }) => owner.kind.endsWith('unit') && owner.name === unit.name),
      ...containers.filter(({ name }) => name === unit.container),
    ].flatMap((one) => one.ignored.map(({ name }) => name));
    const ignored = unit.ignored.filter(({ name }) => !told.includes(name));
    if (ignored.length === 0) return [];
    return [
      {
        object: unit.name,
        names: [unit.name],
        message: `Its server ignores ${ignored.map(({ name }) => name).join(', ')}.`,
        evidence: [
          ...ignored.map(({ name, meant }) => `${name} is not read; ${meant} is.`),
          unit.path,
          ...unit.dropIns,
        ],
        cure: `Say it as ${ignored.map(({ meant }) => meant).join(', ')}, and restart it.`,
      },
    ];
  });
}
