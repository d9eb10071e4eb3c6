import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import { RunFile } from '../../domain/run/report.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { Report } from '../../domain/run/report.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { describeMachine } from '../../io/machine.ts';
import { programArgv } from '../../io/program.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { berthVersion } from '../../io/version.ts';
import type { World } from '../../io/world.ts';
import { filePublishers } from '../../publish/registry.ts';
import { createLiveFile } from './live-file.ts';
import { composeReport } from '../report/compose-report.ts';
import { definitions } from './definitions.ts';
import { plainName } from './runs.ts';
import { hasRecords, readRecords } from '../report/record-file.ts';
import { WorkerMessage } from '../load/worker-protocol.ts';
import type { WorkerEnd, WorkerJob } from '../load/worker-protocol.ts';

export interface BenchmarkOptions {
  readonly onProgress?: (progress: RunProgress) => void;
  /** Ends the run early; what was measured is kept and reported. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a benchmark in a process of its own and writes its folder: run.json, records.jsonl, stage-N.json, and at last
 * the reports. Throws BENCH_TARGET_DOWN when the server does not answer; stages measured before that are reported.
 */
export async function runBenchmark(
  world: World,
  spec: RunSpec,
  options: BenchmarkOptions = {},
): Promise<{ folder: string; report: Report }> {
  if (spec.target.key !== null) await resolveSecret(world, spec.target.key);
  const startedAt = world.clock.wall();
  const id = runId(startedAt, spec.name);
  const folder = join(world.places.runs, id);
  const run = RunFile.parse({
    schema: runSchema,
    id,
    startedAt: startedAt.toISOString(),
    spec,
    environment: { berth: berthVersion(), ...describeMachine() },
    definitions,
  });
  await writeRunFile(world, folder, run);
  return measure(world, run, { id, folder, spec, resume: null }, { ...options, earlier: [] });
}

/** What was asked, where and how: everything that is known before the first stage. */
export async function writeRunFile(world: World, folder: string, run: RunFile): Promise<void> {
  await world.files.write(join(folder, 'run.json'), `${JSON.stringify(run, null, 2)}\n`);
}

/** The work of a run whose run.json is written, to its reports; `earlier`: stages that are over already. */
export async function measure(
  world: World,
  run: RunFile,
  job: WorkerJob,
  options: BenchmarkOptions & { readonly earlier: readonly StageReport[] },
): Promise<{ folder: string; report: Report }> {
  const { id, folder } = job;
  const live = createLiveFile(world.files, folder);
  function onProgress(progress: RunProgress): void {
    live.hear(progress);
    options.onProgress?.(progress);
  }
  onProgress({ type: 'run-started', id, folder, name: run.spec.name });
  const worked = await work(world, job, { ...options, onProgress }).finally(live.end);
  const { end } = worked;
  const stages = [...options.earlier, ...worked.stages];
  if (stages.length === 0 && end.error) {
    // Nothing was sent: a folder without a record is no run.
    if (!(await hasRecords(world.files, folder))) await world.files.remove(folder);
    throw faultOf(end.error, folder);
  }
  const report = composeReport(run, stages, end, world.clock.wall());
  await writeReport(world, folder, report);
  options.onProgress?.({ type: 'run-ended', id, interrupted: report.interrupted });
  if (end.error) throw faultOf(end.error, folder);
  return { folder, report };
}

/** Sorts by time, can be typed, and names what it is. */
export function runId(startedAt: Date, name: string): string {
  const time = startedAt.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}_${plainName(name)}_${randomBytes(3).toString('hex')}`;
}

async function work(
  world: World,
  job: WorkerJob,
  options: BenchmarkOptions,
): Promise<{ stages: StageReport[]; end: WorkerEnd }> {
  const stages: StageReport[] = [];
  const errors: string[] = [];
  let end: WorkerEnd | null = null;
  const child = await world.exec.start(programArgv('bench-worker'), {
    env: world.env,
    onErrorLine: (line) => errors.push(line),
  });
  function interrupt(): void {
    child.kill('SIGTERM');
  }
  options.signal?.addEventListener('abort', interrupt, { once: true });
  if (options.signal?.aborted) interrupt();
  try {
    child.write(`${JSON.stringify(job)}\n`);
    for await (const line of child.lines) {
      const message = WorkerMessage.parse(JSON.parse(line));
      if (message.type === 'worker-ended') end = message;
      else {
        if (message.type === 'stage-ended') stages.push(message.stage);
        options.onProgress?.(message);
      }
    }
    await child.exited;
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
    child.closeInput();
  }
  if (end) return { stages, end };
  const message = errors.slice(-5).join(' ') || 'it gave no reason';
  return { stages, end: lost(message, options.signal?.aborted ?? false) };
}

/** The end of a worker that could not say one. */
function lost(message: string, interrupted: boolean): WorkerEnd {
  return {
    type: 'worker-ended',
    interrupted,
    unfinished: true,
    originAt: null,
    server: null,
    calibration: null,
    error: interrupted ? null : { code: 'UNEXPECTED', facts: {}, message },
  };
}

/** The reports; report.json last, since its presence says that the run is over. */
export async function writeReport(world: World, folder: string, report: Report): Promise<void> {
  const kept = filePublishers.filter((publisher) => publisher.kept);
  kept.sort((a, b) => Number(a.kind === 'json') - Number(b.kind === 'json'));
  for (const publisher of kept) {
    const content = await publisher.render(report, () => readRecords(world.files, folder));
    await world.files.write(join(folder, publisher.fileName), content);
  }
}

function faultOf(error: NonNullable<WorkerEnd['error']>, folder: string): BerthError {
  if (error.code === 'BENCH_TARGET_DOWN' || error.code === 'BENCH_MODEL_UNKNOWN')
    return new BerthError(error.code, error.facts as never);
  if (
    error.code === 'PROMPTS_INVALID' ||
    error.code === 'TRACE_INVALID' ||
    error.code === 'TOKENIZER_INVALID' ||
    error.code === 'FILE_MISSING' ||
    error.code === 'USAGE'
  )
    return new BerthError(error.code, error.facts as never);
  return new BerthError('BENCH_WORKER_FAILED', { folder, reason: error.message });
}
