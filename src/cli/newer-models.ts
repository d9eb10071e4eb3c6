import { resolveSecret } from '../io/secret-values.ts';
import { sourceOf } from '../model-sources/registry.ts';
import type { StoredModel } from '../models/cache.ts';
import { newnessOf } from '../models/newer.ts';
import type { CliContext } from './context.ts';
import type { NamedSource } from './named-models.ts';

const longestMs = 10_000;

/** Whether its place has a model in another form by now; false where that is not certain, or not told in a few seconds. */
export async function isNewer(
  { world, signal }: CliContext,
  { source, secret }: NamedSource,
  model: StoredModel,
): Promise<boolean> {
  const kind = sourceOf(source);
  try {
    const access = {
      secret: secret === null ? null : await resolveSecret(world, secret),
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestMs)]),
    };
    // What has no note of its endpoint may be of another one.
    if (model.endpoint === undefined && (await kind.endpoint(world, access.secret)) !== null) return false;
    return (await newnessOf(world, kind, source, model, { access })) === 'newer';
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
