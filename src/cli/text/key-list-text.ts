import type { KeyLimits } from '../../domain/key-limits.ts';
import type { KeyView } from '../../domain/key-record.ts';
import type { Spent } from '../../domain/key-usage.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { table } from '../output.ts';
import type { Spending } from '../running-gateway.ts';

/** In the present day and month (UTC). */
type SpentBy = { readonly day: Spent; readonly month: Spent } | null;

const nothing: Spent = { requests: 0, tokens: 0, usd: 0 };

/** Null: not known. */
export function spentBy({ id }: Pick<KeyView, 'id'>, spending: Spending): SpentBy {
  if ('unknown' in spending) return null;
  const { day = nothing, month = nothing } = spending.spent.find(({ key }) => key === id) ?? {};
  return { day, month };
}

type Shown = KeyView & { readonly spent: SpentBy };

export function keyListText(
  { fleet }: Pick<LoadedFleet, 'fleet'>,
  keys: readonly Shown[],
  spentUnknown: string | null,
): string {
  if (keys.length === 0) return `Fleet ${fleet} has no keys. "berth keys add NAME" makes one.`;
  const rows = keys.map((key) => [
    key.name,
    key.id,
    key.state,
    key.source === 'file' ? 'fleet file' : (key.rotatedAt ?? key.createdAt ?? '-').slice(0, 10),
    key.expiresAt?.slice(0, 16).replace('T', ' ') ?? 'never',
    scopeText(key),
    limitsText(key),
    spentText(key.bounds.budget, key.spent),
  ]);
  const bounded = keys.some(({ bounds: { budget } }) => budget !== undefined);
  const header = ['NAME', 'ID', 'STATE', 'SECRET OF', 'EXPIRES', 'SCOPE', 'LIMITS', 'SPENT'];
  return [
    table([header, ...rows]),
    ...(bounded && spentUnknown !== null ? [`What was spent is not known: ${spentUnknown}.`] : []),
  ].join('\n');
}

function scopeText({ models, endpoints, control }: KeyView): string {
  const parts = [...(models ?? []), ...(endpoints ?? []), ...(control ? ['control'] : [])];
  return parts.length === 0 ? 'all' : parts.join(' ');
}

function limitsText({ bounds: { budget, ...plain } }: KeyView): string {
  const spans = allowancesOf(budget).map(({ span, unit, amount }) => `${span} ${amount} ${unit}`);
  return [...Object.entries(plain).map(([name, value]) => `${name} ${value}`), ...spans].join(', ') || '-';
}

/** Of each bound what is gone; nothing else is bounded by what was spent. */
function spentText(budget: KeyLimits['budget'], spent: SpentBy): string {
  const bounds = allowancesOf(budget);
  if (bounds.length === 0) return '-';
  if (spent === null) return 'not known';
  return bounds
    .map(({ span, unit, amount }) => `${span} ${rounded(spent[span][unit])} of ${amount} ${unit}`)
    .join(', ');
}

interface Bound {
  readonly span: 'day' | 'month';
  readonly unit: 'tokens' | 'usd';
  readonly amount: number;
}

function allowancesOf(budget: KeyLimits['budget']): Bound[] {
  return (['day', 'month'] as const).flatMap((span) =>
    (['tokens', 'usd'] as const).flatMap((unit) => {
      const amount = budget?.[span]?.[unit];
      return amount === undefined ? [] : [{ span, unit, amount }];
    }),
  );
}

/** Money to a thousandth of a cent. */
function rounded(amount: number): number {
  return Math.round(amount * 100_000) / 100_000;
}
