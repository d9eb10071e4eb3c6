import { z } from 'zod';
import type { LlmServiceStatus } from '../domain/fleet-status.ts';

/** A service of KServe's newer kind, as far as it is told of. */
export const LlmService = z.looseObject({
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).nullish() }),
  spec: z.looseObject({ model: z.looseObject({ uri: z.string().nullish() }).nullish() }).nullish(),
  status: z
    .looseObject({
      url: z.string().nullish(),
      addresses: z.array(z.looseObject({ url: z.string().nullish() })).nullish(),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: z.string().nullish(),
            message: z.string().nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});
export type LlmService = z.infer<typeof LlmService>;

/** As KServe itself tells it. Pure. */
export function llmServiceStatus({ metadata, spec, status }: LlmService): LlmServiceStatus {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const said = [ready?.reason, ready?.message].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ');
  const isStopped = metadata.annotations?.['serving.kserve.io/stop'] === 'true';
  return {
    name: metadata.name,
    state: isStopped
      ? 'stopped'
      : ready?.status === 'True'
        ? 'ready'
        : ready?.status === 'False'
          ? 'not ready'
          : 'unknown',
    reason: ready?.status === 'True' || said === '' ? null : said,
    url: status?.url ?? status?.addresses?.find(({ url }) => url)?.url ?? null,
    model: spec?.model?.uri ?? null,
  };
}
