import type { Rule } from './contract.ts';

export const hostUnreachable: Rule = {
  id: 'host-unreachable',
  severity: 'critical',
  finds: 'a host of the fleet, or a target of it there, that cannot be looked at',
  why: 'Nothing of it is known, and nothing of it is changed.',
  find: ({ fleet }) =>
    (fleet?.unreachable ?? []).map(({ host, target, reason, cure }) => ({
      object: host,
      message: `Host ${host}${target === undefined ? '' : ` (target ${target})`} could not be looked at: ${reason}`,
      evidence: [reason],
      cure: `${cure} What runs there is left as it is until then.`,
    })),
};
