import { resolveSecret } from '../io/secret-values.ts';
import { sourceOf } from '../model-sources/registry.ts';
import { pullModel } from '../models/pull.ts';
import type { Pulled } from '../models/pull.ts';
import { checkRoomTogether } from '../models/room.ts';
import type { CliContext } from './context.ts';
import type { NamedSource } from './named-models.ts';
import { showPull } from './pull-progress.ts';

/** What can never fit together is told before the first of several models is fetched. */
export async function checkRoomOf(
  { world, signal }: CliContext,
  named: readonly NamedSource[],
): Promise<void> {
  if (named.length < 2) return;
  const models = named.map(async ({ source, secret }) => ({
    kind: sourceOf(source),
    source,
    access: { secret: secret === null ? null : await resolveSecret(world, secret), signal },
  }));
  await checkRoomTogether(world, await Promise.all(models));
}

export interface PullHow {
  readonly connections: number;
  /** Half a minute without it. */
  readonly stallMs?: number;
  readonly refresh?: boolean;
  /** Told how far it is, from 0 to 1. */
  readonly onPart?: (part: number) => void;
}

/** Fetches one model into the store, or finds it there, and shows how far it is. */
export async function pullNamed(
  { world, output, signal }: CliContext,
  { source, secret }: NamedSource,
  { connections, stallMs = 30_000, refresh = false, onPart = () => {} }: PullHow,
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
      stallMs,
      refresh,
      ...progress,
      onBytes,
    });
  } finally {
    progress.end();
  }
}
