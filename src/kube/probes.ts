import type { LaunchSpec } from '../domain/launch-spec.ts';

const startPeriod = 5;

/** Whoever applies it gives a start up first, and says why: else the node ends the engine, and all that is told is that it ended. */
const spare = 2;

/** A model may load for long: until it has, neither of the others counts, so that it is not killed half way. Pure. */
export function probesOf(
  { path, startTimeoutMs }: LaunchSpec['readiness'],
  port: string | number,
): Record<string, unknown> {
  const httpGet = { path, port };
  const failureThreshold = Math.ceil(startTimeoutMs / 1000 / startPeriod) + spare;
  return {
    startupProbe: { httpGet, periodSeconds: startPeriod, timeoutSeconds: 3, failureThreshold },
    readinessProbe: { httpGet, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
    livenessProbe: { httpGet, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 },
  };
}
