import type { Rule } from './contract.ts';

export const notInFile: Rule = {
  id: 'not-in-file',
  severity: 'warning',
  finds: 'an object with the mark of the fleet that its file does not want',
  why: 'It goes on taking memory, and the next "berth apply" stops it.',
  find: ({ fleet }) =>
    (fleet?.instances ?? []).flatMap(({ deployment, replica, object }) => {
      const wanted = fleet?.deployments.find((one) => one.name === deployment)?.replicas ?? 0;
      if (replica < wanted) return [];
      return [
        {
          object: `${deployment}-${replica}`,
          names: [deployment],
          message: `${object} runs, and the file does not want it.`,
          evidence: [object, `the file wants ${wanted} of ${deployment}`],
          cure: 'Put it back into the file, or let "berth apply" stop it.',
          fix: { deployments: [deployment], restart: false },
          commands: ['berth apply'],
        },
      ];
    }),
};
