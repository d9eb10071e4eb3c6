import type { Report } from '../../domain/run/report.ts';

/** Of a run that stands, the stages that can be held against others: not those that the client limited, far above a knee. */
export function soundStages({ stages, clientLimited }: Report): Report['stages'] {
  return clientLimited ? stages : stages.filter(({ client }) => !client.limited);
}
