import { titleOf } from '../../domain/audit/kube-object.ts';
import { unseenContainers } from '../../domain/audit/container-server.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { AuditView, Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const outdatedFlag: Rule = {
  id: 'outdated-flag',
  severity: 'info',
  finds: 'a flag that newer builds of the engine refuse, on a running server or in what starts one',
  why: 'It starts today, and no longer after the next update, maybe at night.',
  find: ({ hosts, pods, outdatedIn }) => [
    ...perHost(hosts, (host) => [
      ...host.servers.flatMap((server) =>
        judge(outdatedIn(server.engine, server.command), subjectOf(server, host)),
      ),
      // What runs is judged by its process.
      ...host.units
        .filter((unit) => unit.active !== 'active')
        .flatMap(({ name, starts }) => judge(outdatedIn(starts.engine, starts.command), { object: name })),
      ...unseenContainers(host).flatMap(({ name, starts }) =>
        judge(outdatedIn(starts.engine, starts.command), { object: `container ${name}`, names: [name] }),
      ),
    ]),
    ...pods.flatMap(({ workload: { object }, server }) =>
      judge(outdatedIn(server.engine, server.command), {
        object: titleOf(object),
        names: [object.metadata.name],
      }),
    ),
  ],
};

function judge(
  outdated: ReturnType<AuditView['outdatedIn']>,
  subject: { object: string; names?: string[] },
): Found[] {
  if (outdated.length === 0) return [];
  return [
    {
      ...subject,
      message: `Newer builds refuse ${outdated.map(({ name }) => name).join(', ')}.`,
      evidence: outdated.map(({ name, meant }) => `${name} is gone; ${meant} says the same.`),
      cure: `Write it as ${outdated.map(({ meant }) => meant).join(', ')} with the update, not after it.`,
    },
  ];
}
