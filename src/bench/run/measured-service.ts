import type { StageReport } from '../../domain/run/stage-report.ts';
import { streamsOf } from '../../domain/strategy.ts';
import type { World } from '../../io/world.ts';
import { listRuns, loadReport } from './runs.ts';

/** How a deployment served under load; ms and tokens. */
export interface MeasuredService {
  readonly run: string;
  readonly stage: string;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly outputTokens: number;
}

/**
 * What the newest finished run of a deployment tells, at the most streams that `slots` hold: with more of them the TTFT is
 * the wait for a slot. Null: there is no run, or none with so few streams.
 */
export async function measuredService(
  world: World,
  deployment: string,
  slots: number,
): Promise<MeasuredService | null> {
  const runs = await listRuns(world);
  const newest = runs.find((run) => run.state === 'done' && run.target.deployment === deployment);
  if (!newest) return null;
  const { stages } = await loadReport(world, newest.id);
  const held = stages.filter((stage) => (streamsOf(stage.strategy) ?? Infinity) <= slots);
  const fullest = held.toSorted((a, b) => (streamsOf(b.strategy) ?? 0) - (streamsOf(a.strategy) ?? 0))[0];
  return fullest ? serviceOf(newest.id, fullest) : null;
}

function serviceOf(run: string, { label, ttft, tpot, outputTokens }: StageReport): MeasuredService | null {
  if (!ttft || !tpot || !outputTokens) return null;
  return { run, stage: label, ttftMs: ttft.p50, tpotMs: tpot.mean, outputTokens: outputTokens.mean };
}
