import { resolveSecret } from '../io/secret-values.ts';
import { sourceOf } from '../model-sources/registry.ts';
import { pullModel } from '../models/pull.ts';
import type { Pulled } from '../models/pull.ts';
import type { CliContext } from './context.ts';
import type { NamedSource } from './named-models.ts';
import { showPull } from './pull-progress.ts';

/** Fetches one model into the store, or finds it there, and shows how far it is. */
export async function pullNamed(
  { world, output, signal }: CliContext,
  { source, secret }: NamedSource,
  connections: number,
): Promise<Pulled> {
  const kind = sourceOf(source);
  const progress = showPull(output, world.clock.now);
  const access = { secret: secret === null ? null : await resolveSecret(world, secret), signal };
  try {
    return await pullModel(world, kind, source, { access, connections, stallMs: 30_000, ...progress });
  } finally {
    progress.end();
  }
}
