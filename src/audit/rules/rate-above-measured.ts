import { rateAboveMeasured as judge } from '../../domain/rate-above-measured.ts';
import type { Rule } from './contract.ts';

export const rateAboveMeasured: Rule = {
  id: 'rate-above-measured',
  severity: 'warning',
  finds:
    'a limit of requests per second (`limits.rps`) above what a benchmark measured the engine to keep up',
  why: 'It bounds nothing, and whoever reads it counts on it.',
  find: ({ fleet }) =>
    (fleet?.measured ?? []).flatMap(({ deployment, ...service }) => {
      const rps = fleet?.deployments.find((one) => one.name === deployment)?.rps ?? null;
      const found = rps === null ? null : judge(deployment, rps, service);
      return found ? [found] : [];
    }),
};
