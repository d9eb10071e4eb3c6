import type { Rule } from './contract.ts';

export const drift: Rule = {
  id: 'drift',
  severity: 'warning',
  finds:
    'an object of the fleet that is not as the file says, field by field, and whether the file or somebody else changed it',
  why: 'A file that is not true helps nobody.',
  find: ({ fleet }) =>
    (fleet?.drift ?? []).map(({ deployment, replica, object, by, fields }) => ({
      object: `${deployment}-${replica}`,
      names: [deployment],
      message:
        by === 'file'
          ? `The file was changed since ${object} was started: ${fields.map((one) => one.field).join(', ')}.`
          : `Somebody changed ${object}: ${fields.map((one) => one.field).join(', ')}.`,
      evidence: fields.map(({ field, from, to }) => `${field}: ${from} → ${to}`),
      cure:
        by === 'file'
          ? '"berth plan" shows what would be done, "berth apply" does it.'
          : `"berth apply --restart ${deployment}" makes it as the file says.`,
      fix: { deployments: [deployment], restart: by === 'somebody' },
      commands: [by === 'file' ? 'berth apply' : `berth apply --restart ${deployment}`],
    })),
};
