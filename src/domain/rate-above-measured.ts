import type { Finding } from './finding.ts';
import { answerAtRate, sustainedRate } from './sustained-rate.ts';
import type { Service } from './sustained-rate.ts';

/** A deployment as a stage of a run measured it. */
export interface MeasuredDeployment extends Service {
  readonly run: string;
  readonly stage: string;
}

/** What is wrong with a bound on requests per second that an engine does not keep up anyway; null: nothing. Pure. */
export function rateAboveMeasured(
  name: string,
  rps: number,
  service: MeasuredDeployment,
): Pick<Finding, 'object' | 'message' | 'evidence' | 'cure'> | null {
  const most = sustainedRate(service);
  if (rps <= most) return null;
  const { slots, ttftMs, tpotMs, outputTokens, run, stage } = service;
  const answer = answerAtRate(service, rps);
  return {
    object: name,
    message: `limits.rps is ${rps}, and each of its engines was measured to keep up ${figure(most)} a second at most with answers of ${figure(outputTokens)} tokens: the limit bounds nothing.`,
    evidence: [
      `run ${run}, ${stage}: TTFT ${figure(ttftMs)} ms, TPOT ${figure(tpotMs)} ms, ${figure(outputTokens)} output tokens`,
      `${slots} slots / (TTFT + (tokens − 1) × TPOT) = ${figure(most)} requests/s`,
    ],
    cure:
      `Set limits.rps to ${figure(most)} or less` +
      (answer > 0 ? `, or count on answers of no more than ${answer} tokens.` : ', or add replicas.'),
  };
}

/** Three digits that count. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
