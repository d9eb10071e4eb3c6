import type { ForeignLatency, ForeignStage } from '../../domain/run/foreign-run.ts';
import { latencyFigures, wholeRate } from './metrics.ts';
import type { Measured } from './metrics.ts';

const names: Readonly<Record<ForeignLatency, string>> = {
  ttft: 'TTFT',
  itl: 'ITL',
  tpot: 'TPOT',
  e2e: 'E2E',
};

/** What can be held against the figures of a run of berth, under the same names. */
export function foreignFigures(stage: ForeignStage, seed: number): Measured[] {
  const requests = Math.max(1, stage.values.e2e?.length ?? 1);
  const latencies = (Object.keys(names) as ForeignLatency[]).flatMap((key) => {
    const name = nameOf(key, stage.open);
    const values = stage.values[key];
    const gaps = key === 'itl' ? Math.max(1, Math.round((values?.length ?? 0) / requests)) : 1;
    return values ? latencyFigures(name, values, { block: 50 * gaps, seed }) : summed(stage, key, name);
  });
  return [...wholeRate(stage.outputTokensPerSecond), ...latencies];
}

/** Of an open loop other tools time from sending alone. */
function nameOf(key: ForeignLatency, open: boolean): string {
  return open && (key === 'ttft' || key === 'e2e') ? `${names[key]} from sending` : names[key];
}

/** Figures without the values behind them: they can be shown side by side and not judged. */
function summed(stage: ForeignStage, key: ForeignLatency, name: string): Measured[] {
  const summary = stage.summaries[key];
  if (!summary) return [];
  return (['p50', 'p95', 'p99'] as const).flatMap((quantile): Measured[] => {
    const value = summary[quantile];
    if (value === null) return [];
    const n = summary.n ?? 0;
    return [
      {
        name: `${name} ${quantile}`,
        unit: 'ms',
        better: 'lower',
        n,
        value,
        samples: null,
        fewest: 0,
        spare: null,
      },
    ];
  });
}
