import type { Report } from '../../domain/run/report.ts';
import { table } from '../output.ts';

/** Conversations turn by turn; nothing where requests are no turns. */
export function turnLines({ stages }: Report): string[] {
  return stages.flatMap(({ label, conversations }) => {
    if (!conversations) return [];
    const { begun, broken, turns } = conversations;
    const rows = turns.map((turn) => [
      `${turn.turn}${turn.andLater ? '+' : ''}`,
      String(turn.ok),
      ms(turn.ttft?.p50),
      ms(turn.ttft?.p95),
      ms(turn.e2e?.p50),
      turn.promptTokens === null ? '-' : turn.promptTokens.toFixed(0),
      turn.cachedShare === null ? '-' : `${(turn.cachedShare * 100).toFixed(0)} %`,
    ]);
    return [
      `${label}: ${begun} conversations began${broken === 0 ? '' : `, ${broken} ended by a fault`}.`,
      table(
        [['TURN', 'OK', 'TTFT p50', 'p95', 'E2E p50', 'prompt tokens', 'from cache'], ...rows],
        [1, 2, 3, 4, 5, 6],
      ),
    ];
  });
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(value < 10 ? 2 : 1);
}
