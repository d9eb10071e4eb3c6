import type { z } from 'zod';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { Resources } from '../../domain/resources.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** More that is kept for an engine than it may take: clusters and daemons refuse that, each in words of its own. */
export function resourceFaults(tree: Located): ConfigFault[] {
  const { requests, limits } = Resources.shape;
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) =>
    (['cpu', 'memory'] as const).flatMap((what) => {
      const kept = pieceAt(deployment, ['resources', 'requests', what]);
      const most = pieceAt(deployment, ['resources', 'limits', what]);
      const least = amount(requests.unwrap().shape[what], kept);
      const bound = amount(limits.unwrap().shape[what], most);
      if (!kept || least === null || bound === null || least <= bound) return [];
      return [
        fault(
          kept,
          kept.at,
          `More ${what} is kept for it than it may take (resources.limits.${what}).`,
          `Lower it, or raise resources.limits.${what}.`,
        ),
      ];
    }),
  );
}

/** Null for what is not there or no amount, which the schema tells. */
function amount(schema: z.ZodType<number | undefined>, piece: Located | null): number | null {
  if (piece?.content.kind !== 'scalar') return null;
  return schema.safeParse(piece.content.value).data ?? null;
}
