import { eachLoad, levelLabel } from '../../domain/run/knee.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';

/** The stages of a sweep from the lowest load to the highest; those of other runs as they were. */
export function byLoad(report: Report): readonly StageReport[] {
  const { knee, stages } = report;
  if (!knee) return stages;
  return knee.levels.flatMap(({ stage }) => stages.filter(({ index }) => index === stage));
}

/** What a sweep found, and why the loads above it did not do. */
export function kneeLines({ knee }: Report): string[] {
  if (!knee) return [];
  const keep = knee.keep.join(', ');
  const levels = eachLoad(knee);
  const missed = levels.filter(({ kept }) => !kept);
  const unsure = levels.filter(({ kept, unsure: open = [] }) => kept && open.length > 0);
  const found =
    knee.level === null
      ? `Knee: none of the loads that were tried kept ${keep}.`
      : `Knee: ${levelLabel(knee.over, knee.level)} is the highest that kept ${keep}` +
        (knee.missedAt === null
          ? '; nothing above it was tried.'
          : `; ${levelLabel(knee.over, knee.missedAt)} did not.`);
  return [
    found,
    ...missed.map(({ level, reasons }) => `${levelLabel(knee.over, level)} missed: ${reasons.join('; ')}.`),
    ...unsure.map(
      ({ level, unsure: open = [] }) =>
        `${levelLabel(knee.over, level)} is not sure: ${open.join('; ')}. More time for each stage would tell.`,
    ),
  ];
}
