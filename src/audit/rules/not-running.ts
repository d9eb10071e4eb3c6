import type { Rule } from './contract.ts';

export const notRunning: Rule = {
  id: 'not-running',
  severity: 'critical',
  finds: 'a deployment of the fleet file that does not run',
  why: 'Its clients get no answer.',
  find: ({ fleet }) =>
    (fleet?.deployments ?? []).flatMap((one) => {
      const silent =
        fleet?.unreachable.some(
          ({ host, target }) => host === one.host && (target === undefined || target === one.target),
        ) ?? false;
      if (one.onDemand || one.external || silent) return [];
      const there = (fleet?.instances ?? []).filter((instance) => instance.deployment === one.name);
      const alive = there.filter((instance) => instance.alive).length;
      if (alive >= one.replicas) return [];
      return [
        {
          object: one.name,
          message: alive === 0 ? 'It does not run.' : `${alive} of its ${one.replicas} replicas run.`,
          evidence: [
            `the file wants ${one.replicas} on host ${one.host}`,
            ...there.flatMap(({ object, trouble }) => (trouble === null ? [] : [`${object} ${trouble}`])),
          ],
          cure: '"berth apply" starts what is missing.',
          fix: { deployments: [one.name], restart: false },
          commands: ['berth apply'],
        },
      ];
    }),
};
