import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Report } from '../../domain/run/report.ts';
import { RunFile } from '../../domain/run/report.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { readLive } from './live-file.ts';
import { lostAtBreak } from './lost-requests.ts';
import { seamsOf } from './recover.ts';
import { mendTails, readProgress } from './resume.ts';
import { measure, writeRunFile } from './run-benchmark.ts';
import type { BenchmarkOptions } from './run-benchmark.ts';
import { goesOn } from './run-lock.ts';
import { readRunFile, readWrittenReport } from './runs.ts';

/**
 * Goes on with a run that did not reach its end: at the stage at which it stopped, with what is left of that. Records that
 * were written stay. Throws RUN_OVER when it did reach its end, RUN_GOES_ON while somebody works on it.
 */
export async function resumeBenchmark(
  world: World,
  folder: string,
  options: BenchmarkOptions = {},
): Promise<{ folder: string; report: Report }> {
  const run = await readRunFile(world, folder);
  if (await goesOn(folder)) throw new BerthError('RUN_GOES_ON', { run: run.id });
  const written = await readWrittenReport(world, folder);
  if (written !== null && !written.unfinished) throw new BerthError('RUN_OVER', { run: run.id });
  const { key } = run.spec.target;
  if (key !== null) await resolveSecret(world, key);
  await mendTails(world.files, folder);
  const progress = await readProgress(world.files, folder);
  const { clock, nextId } = progress;
  const stage = progress.stages.length;
  const since = run.resumed.findLast((earlier) => earlier.stage === stage)?.clock ?? -1;
  const part = progress.part.filter(({ done }) => done > since);
  const lost = lostAtBreak(stage, part, await readLive(world.files, folder));
  const seam = { at: world.clock.wall().toISOString(), clock, stage, lost };
  const resumed = RunFile.parse({ ...run, resumed: [...run.resumed, seam] });
  await writeRunFile(world, folder, resumed);
  // Its presence says that a run is over.
  await world.files.remove(join(folder, 'report.json'));
  const job = {
    id: run.id,
    folder,
    spec: run.spec,
    resume: { clock, nextId, seams: seamsOf(resumed, stage) },
  };
  return measure(world, resumed, job, { ...options, earlier: progress.stages });
}
