import { BerthError } from '../domain/errors/berth-error.ts';
import type { RunProgress } from '../domain/run-progress.ts';
import type { Strategy } from '../domain/load-shape.ts';
import type { RequestRecord } from '../domain/run/record.ts';
import type { EngineFacts } from '../domain/run/engine-facts.ts';
import type { Calibration, ServerFacts } from '../domain/run/report.ts';
import type { RunSpec } from '../domain/run/spec.ts';
import type { StageReport } from '../domain/run/stage-report.ts';
import { strategyLabel } from '../domain/strategy.ts';
import { createTimedClient } from '../io/timed-request.ts';
import type { World } from '../io/world.ts';
import { compareCounters } from './analyse/engine-counters.ts';
import type { CounterReading } from './analyse/engine-counters.ts';
import { stageReport } from './analyse/stage-report.ts';
import { calibrate } from './calibrate.ts';
import { watchClient } from './client-load.ts';
import type { PromptSource } from './contract.ts';
import { readCounters } from './counters.ts';
import { datasets } from './datasets/registry.ts';
import { preflight } from './preflight.ts';
import type { Preflight } from './preflight.ts';
import { startServerWatch } from './server/server-watch.ts';
import type { ServerWatch } from './server/server-watch.ts';
import { profiles } from './profiles/registry.ts';
import { createRecordWriter } from './record-file.ts';
import type { RecordWriter } from './record-file.ts';
import { requestBody, requestHeaders, requestPath } from './request-body.ts';
import { readProgress, remainingLimits, setAside, stagePath } from './resume.ts';
import { runStage } from './run-stage.ts';
import { isHopeless, newStageState, tooManyErrors } from './stage-state.ts';
import type { StageState } from './stage-state.ts';
import { nextOf, openOf } from './registry-entry.ts';
import { monotonicMicroseconds } from '../io/clock.ts';
import type { WatchJob } from './server/watch-protocol.ts';
import type { WorkerEnd, WorkerJob } from './worker-protocol.ts';

export interface WorkerPorts {
  readonly emit: (message: RunProgress) => void;
  readonly signal: AbortSignal;
  /** The key of the server, already resolved; null when there is none. */
  readonly key: string | null;
}

interface Running extends WorkerPorts {
  readonly world: World;
  readonly job: WorkerJob;
  readonly ready: Preflight;
  readonly source: PromptSource;
  readonly writer: RecordWriter;
  readonly watch: ServerWatch;
  readonly now: () => number;
}

/** Runs all stages of a job and gives what the report needs beside the stages' files. Never rejects. */
export async function runWorker(world: World, job: WorkerJob, ports: WorkerPorts): Promise<WorkerEnd> {
  const end: WorkerEnd = {
    type: 'worker-ended',
    interrupted: false,
    unfinished: true,
    server: null,
    calibration: null,
    error: null,
  };
  try {
    const { spec } = job;
    const ready = await preflight(world, spec, ports);
    const source = await openOf(datasets, spec.data)(ready.prompts, spec.seed, spec.cache);
    const writer = createRecordWriter(world.files, job.folder);
    const origin = monotonicMicroseconds() - (job.resume?.clock ?? 0);
    await using watch = await startServerWatch(world, job.folder, watchJob(spec, ports.key, origin));
    const server = serverFacts(spec, ready, source, await watch.facts());
    end.server = server;
    ports.emit({ type: 'server', server });
    const running: Running = {
      ...ports,
      world,
      job,
      ready,
      source,
      writer,
      watch,
      now: () => monotonicMicroseconds() - origin,
    };
    const { most, complete } = await runStages(running);
    end.unfinished = !complete;
    const model = server.engine?.model;
    if (model) model.sha256 = await watch.hashModel(ports.signal);
    end.calibration = await floorOf(running, most);
  } catch (error) {
    // What an interrupt breaks off is no fault of its own.
    if (!ports.signal.aborted) end.error = describe(error);
  }
  return { ...end, interrupted: ports.signal.aborted };
}

/** Stage after stage, as the profile says; gives the most streams that any of them had, and whether it came to the end. */
async function runStages(running: Running): Promise<{ most: number; complete: boolean }> {
  const { spec } = running.job;
  const next = nextOf(profiles, spec.profile);
  const { files } = running.world;
  const before = running.job.resume && (await readProgress(files, running.job.folder));
  const done: StageReport[] = [...(before?.stages ?? [])];
  let part = before?.part ?? [];
  let firstId = running.job.resume?.nextId ?? 0;
  let most = 0;
  for (;;) {
    if (running.signal.aborted) return { most, complete: false };
    const strategy = next(done);
    if (strategy === null) return { most, complete: true };
    const stage = { index: done.length, strategy, firstId, part };
    if (part.length > 0 && strategy.kind === 'open') {
      await setAside(files, running.job.folder, stage.index);
      stage.part = [];
    }
    const { report, sent, mostInFlight, state } = await oneStage(running, stage);
    part = [];
    most = Math.max(most, mostInFlight);
    firstId += sent;
    done.push(report);
    running.emit({ type: 'stage-ended', stage: report });
    if (report.requests.ok === 0 && !running.signal.aborted) throw nothingAnswered(spec, report);
    if (state.broken) return { most, complete: false };
  }
}

async function oneStage(
  running: Running,
  stage: { index: number; strategy: Strategy; firstId: number; part: readonly RequestRecord[] },
): Promise<{ report: StageReport; sent: number; mostInFlight: number; state: StageState }> {
  const { spec, folder } = running.job;
  const records: RequestRecord[] = [...stage.part];
  const limits = remainingLimits(spec.limits, stage.part);
  const client = createTimedClient(spec.target.url, running.now);
  const state = newStageState(running.now());
  const { seconds, requests } = spec.limits;
  running.emit({
    type: 'stage-started',
    index: stage.index,
    label: strategyLabel(stage.strategy),
    seconds,
    requests,
  });
  const startedAt = running.now();
  await running.watch.mark();
  const before = await counters(running);
  const stopWatching = watchClient();
  const stopTicks = startTicks(running, stage.index, state, client.reads);
  try {
    if (limits)
      await runStage(
        { ...stage, spec: { ...spec, limits }, source: running.source },
        {
          client,
          now: running.now,
          signal: running.signal,
          request: (prompt) => ({
            path: requestPath(spec.target.api),
            headers: requestHeaders(running.key),
            body: requestBody(spec, running.ready.model, prompt, running.ready.extras),
          }),
          onRecord: (record) => {
            records.push(record);
            running.writer.push(record);
          },
        },
        state,
      );
  } finally {
    stopTicks();
    client.close();
  }
  const load = stopWatching();
  const engine = before && (await settledCounters(running, before, records));
  await running.watch.mark();
  const { index, strategy } = stage;
  const dropped = strategy.kind === 'open' ? state.dropped : null;
  const samples = running.watch.since(startedAt);
  const seams = stage.part.length > 0 ? (running.job.resume?.seams ?? []) : [];
  const facts = { index, strategy, spec, client: load, engine, samples, seams, dropped };
  const report = stageReport(facts, records);
  await running.writer.flush();
  state.broken = running.signal.aborted || isHopeless(state) || tooManyErrors(state, spec.limits);
  if (!state.broken) await running.world.files.write(stagePath(folder, index), `${JSON.stringify(report)}\n`);
  const mostInFlight = new Set(records.map((record) => record.stream)).size;
  return { report, sent: records.length - stage.part.length, mostInFlight, state };
}

/** Two lines of progress a second; events are counted by reads, which is near enough for a live figure. */
function startTicks(running: Running, index: number, state: StageState, reads: () => number): () => void {
  let lastReads = reads();
  let lastAt = running.now();
  const timer = setInterval(() => {
    const now = running.now();
    const eventsPerSecond = ((reads() - lastReads) * 1e6) / Math.max(1, now - lastAt);
    lastReads = reads();
    lastAt = now;
    running.emit({
      type: 'tick',
      index,
      phase: state.draining ? 'draining' : state.measuredSince === null ? 'warmup' : 'measured',
      elapsedSeconds: (now - (state.measuredSince ?? state.startedAt)) / 1e6,
      inFlight: state.inFlight,
      done: state.done,
      failed: state.failed,
      eventsPerSecond,
    });
  }, 500);
  return () => clearInterval(timer);
}

async function counters(running: Running): Promise<CounterReading | null> {
  const { metrics } = running.job.spec.target;
  return metrics === null ? null : readCounters(running.world, metrics, running.key);
}

/** Engines count a request some moments after its last byte: asked again for up to a second until the sums agree. */
async function settledCounters(running: Running, before: CounterReading, records: RequestRecord[]) {
  for (let attempt = 0; ; attempt += 1) {
    const after = await counters(running);
    if (after === null) return null;
    const compared = compareCounters(before, after, records);
    if (compared.agrees !== false || attempt === 5) return compared;
    await running.world.clock.sleep(200);
  }
}

async function floorOf(running: Running, streams: number): Promise<Calibration | null> {
  if (!running.job.spec.calibrate || running.signal.aborted) return null;
  const calibration = await calibrate(running.world, Math.min(streams, 256), running.signal);
  if (calibration) running.emit({ type: 'calibrated', calibration });
  return calibration;
}

/** The engine itself is watched, where it is known to be behind the door that is measured. */
function watchJob({ target }: RunSpec, key: string | null, origin: number): Omit<WatchJob, 'periodMs'> {
  return { origin, engine: target.metrics ?? target.url, gpuMetrics: target.gpuMetrics, key };
}

function serverFacts(
  spec: RunSpec,
  ready: Preflight,
  source: PromptSource,
  engine: EngineFacts | null,
): ServerFacts {
  const notes = [...source.notes];
  if (spec.ignoreEos && !ready.extras.ignoreEos)
    notes.push('The server refuses ignore_eos: answers may be shorter than asked.');
  if (spec.cache === 'cold' && !ready.extras.cachePrompt)
    notes.push('The server refuses cache_prompt: only unique prompts keep its prefix cache cold.');
  return {
    model: ready.model,
    server: ready.server,
    tokenizer: ready.prompts.tokenizer,
    templateTokens: source.templateTokens,
    engine,
    notes,
  };
}

function nothingAnswered(spec: RunSpec, report: StageReport): BerthError {
  const [first] = report.errors;
  return new BerthError('BENCH_TARGET_DOWN', {
    url: spec.target.url,
    reason: first
      ? `no request of a stage succeeded (${first.outcome}: ${first.example ?? ''})`
      : 'no request of a stage was answered in time',
  });
}

function describe(error: unknown): WorkerEnd['error'] {
  if (error instanceof BerthError) return { code: error.code, facts: error.facts, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'UNEXPECTED', facts: {}, message };
}
