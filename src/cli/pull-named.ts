import { resolveSecret } from '../io/secret-values.ts';
import { sourceOf } from '../model-sources/registry.ts';
import { pullModel } from '../models/pull.ts';
import type { Pulled } from '../models/pull.ts';
import type { CliContext } from './context.ts';
import type { NamedSource } from './named-models.ts';
import { showPull } from './pull-progress.ts';

/** Fetches one model into the store, or finds it there, and shows how far it is; `onPart` is told so, too, from 0 to 1. */
export async function pullNamed(
  { world, output, signal }: CliContext,
  { source, secret }: NamedSource,
  connections: number,
  onPart: (part: number) => void = () => {},
  refresh = false,
): Promise<Pulled> {
  const kind = sourceOf(source);
  const progress = showPull(output, world.clock.now);
  const access = { secret: secret === null ? null : await resolveSecret(world, secret), signal };
  function onBytes(done: number, total: number | null): void {
    progress.onBytes(done, total);
    if (total !== null && total > 0) onPart(Math.min(1, done / total));
  }
  try {
    return await pullModel(world, kind, source, {
      access,
      connections,
      stallMs: 30_000,
      refresh,
      ...progress,
      onBytes,
    });
  } finally {
    progress.end();
  }
}
