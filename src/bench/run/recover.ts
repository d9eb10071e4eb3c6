import { join } from 'node:path';
import { StageReport } from '../../domain/run/stage-report.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { Report, RunFile } from '../../domain/run/report.ts';
import type { World } from '../../io/world.ts';
import { extent } from '../../stats/extent.ts';
import type { ServerSample } from '../../domain/run/server-sample.ts';
import { readSamples } from '../server/server-watch.ts';
import { stageReport } from '../analyse/stage-report.ts';
import { composeReport } from '../report/compose-report.ts';
import { profiles } from '../profiles/registry.ts';
import { readRows } from '../report/record-file.ts';
import { nextOf } from '../registry-entry.ts';

/**
 * The report of a run that was ended by force: finished stages as they were written, the last one out of its records.
 * What only the load generator knew (its own load, the engine's settled counters, the server's facts) is unknown then.
 */
export async function recoverReport(world: World, folder: string, run: RunFile): Promise<Report> {
  const records = await readRows(world.files, folder);
  const samples = await readSamples(world.files, folder);
  const stages: StageReport[] = [];
  for (const index of new Set(records.map((record) => record.stage)))
    stages.push(
      (await writtenStage(world, folder, index)) ?? recoveredStage(run, index, stages, { records, samples }),
    );
  const last = records.reduce((latest, record) => Math.max(latest, record.done), 0);
  const end = { interrupted: true, unfinished: true, originAt: null, server: null, calibration: null };
  return composeReport(run, stages, end, new Date(Date.parse(run.startedAt) + last / 1000));
}

async function writtenStage(world: World, folder: string, index: number): Promise<StageReport | null> {
  const text = await world.files.read(join(folder, `stage-${index}.json`));
  return text === null ? null : StageReport.parse(JSON.parse(text));
}

/** Where a stage was gone on with, on the run's clock, and what was lost there. */
export function seamsOf(run: Pick<RunFile, 'resumed'>, stage: number): { clock: number; lost: number }[] {
  return run.resumed.filter((seam) => seam.stage === stage).map(({ clock, lost }) => ({ clock, lost }));
}

/** The profile says again what the stage was, as it did when the run was made. */
function recoveredStage(
  run: RunFile,
  index: number,
  earlier: readonly StageReport[],
  all: { records: readonly RecordRow[]; samples: readonly ServerSample[] },
): StageReport {
  const records = all.records.filter((record) => record.stage === index);
  const { min } = extent(records.map(({ scheduled }) => scheduled));
  const { max } = extent(records.map(({ done }) => done));
  const samples = all.samples.filter(({ at }) => at >= min && at <= max);
  const streams = new Set(records.map((record) => record.stream)).size;
  const strategy = nextOf(profiles, run.spec.profile)(earlier) ?? { kind: 'closed', streams };
  const client = { loopDelayP99Ms: null, cpuShare: null };
  return stageReport(
    {
      index,
      strategy,
      spec: run.spec,
      client,
      engine: null,
      samples,
      seams: seamsOf(run, index),
      stopped: 'interrupted',
      dropped: null,
    },
    records,
  );
}
