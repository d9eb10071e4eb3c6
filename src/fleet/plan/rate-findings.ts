import type { Finding } from '../../domain/finding.ts';
import { answerAtRate, sustainedRate } from '../../domain/sustained-rate.ts';
import type { Service } from '../../domain/sustained-rate.ts';
import type { Deployment } from '../file/resolve.ts';

/** What a benchmark measured of a deployment. */
export interface MeasuredService extends Omit<Service, 'slots'> {
  readonly run: string;
  readonly stage: string;
}

/** How a deployment serves when no more requests are under way than it has slots; null: never measured so. */
export type Measurements = (deployment: string, slots: number) => Promise<MeasuredService | null>;

/**
 * A bound on requests per second that the engine cannot keep up anyway: it bounds nothing, and those who read it count on
 * it. `slots` of the deployment by its name; null: not known.
 */
export async function rateFindings(
  deployments: readonly Deployment[],
  slots: (deployment: string) => number | null,
  measured: Measurements,
): Promise<Finding[]> {
  const found = deployments.map(async ({ name, limits }): Promise<Finding[]> => {
    const own = slots(name);
    if (limits?.rps === undefined || own === null) return [];
    const service = await measured(name, own);
    return service ? rateFinding(name, limits.rps, { ...service, slots: own }) : [];
  });
  return (await Promise.all(found)).flat();
}

function rateFinding(name: string, rps: number, service: MeasuredService & Service): Finding[] {
  const most = sustainedRate(service);
  if (rps <= most) return [];
  const { slots, ttftMs, tpotMs, outputTokens, run, stage } = service;
  const answer = answerAtRate(service, rps);
  return [
    {
      rule: 'rate-above-measured',
      severity: 'warning',
      object: name,
      message: `limits.rps is ${rps}, and each of its engines was measured to keep up ${figure(most)} a second at most with answers of ${figure(outputTokens)} tokens: the limit bounds nothing.`,
      evidence: [
        `run ${run}, ${stage}: TTFT ${figure(ttftMs)} ms, TPOT ${figure(tpotMs)} ms, ${figure(outputTokens)} output tokens`,
        `${slots} slots / (TTFT + (tokens − 1) × TPOT) = ${figure(most)} requests/s`,
      ],
      cure:
        `Set limits.rps to ${figure(most)} or less` +
        (answer > 0 ? `, or count on answers of no more than ${answer} tokens.` : ', or add replicas.'),
    },
  ];
}

/** Three digits that count. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
