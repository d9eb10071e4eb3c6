import type { ListedModel } from '../domain/listed-model.ts';
import { resolveSecret } from '../io/secret-values.ts';
import { sourceOf } from '../model-sources/registry.ts';
import { pullModel } from '../models/pull.ts';
import type { Pulled } from '../models/pull.ts';
import { checkRoomTogether } from '../models/room.ts';
import type { CliContext } from './context.ts';
import type { NamedSource } from './named-models.ts';
import { showPull } from './pull-progress.ts';

/** What the place of a model has listed, while that is new enough to be fetched by; else null. */
type Listings = (named: NamedSource) => ListedModel | null;

/** While others are fetched first, a place may get another form of a model. */
const listedForMs = 60_000;

/** What can never fit together is told before the first of several models is fetched. */
export async function checkRoomOf(
  { world, signal }: CliContext,
  named: readonly NamedSource[],
  { refresh = false }: { readonly refresh?: boolean } = {},
): Promise<Listings> {
  if (named.length < 2) return () => null;
  const lists = new Map<NamedSource, { readonly listed: ListedModel; readonly at: number }>();
  const models = named.map(async (one) => ({
    kind: sourceOf(one.source),
    source: one.source,
    access: { secret: one.secret === null ? null : await resolveSecret(world, one.secret), signal },
    refresh,
    onListed: (listed: ListedModel) => void lists.set(one, { listed, at: world.clock.now() }),
  }));
  await checkRoomTogether(world, await Promise.all(models));
  return (one) => {
    const { listed = null, at = 0 } = lists.get(one) ?? {};
    return world.clock.now() - at > listedForMs ? null : listed;
  };
}

export interface PullHow {
  readonly connections: number;
  /** Half a minute without it. */
  readonly stallMs?: number;
  readonly refresh?: boolean;
  readonly listed?: () => ListedModel | null;
  /** Told how far it is, from 0 to 1. */
  readonly onPart?: (part: number) => void;
}

/** Fetches one model into the store, or finds it there, and shows how far it is. */
export async function pullNamed(
  { world, output, signal }: CliContext,
  { source, secret }: NamedSource,
  { connections, stallMs = 30_000, refresh = false, listed = () => null, onPart = () => {} }: PullHow,
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
      listed,
      ...progress,
      onBytes,
    });
  } finally {
    progress.end();
  }
}
