import type { Strategy } from '../../domain/load-shape.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { ServerSample } from '../../domain/run/server-sample.ts';
import type { EngineCounters, StageReport } from '../../domain/run/stage-report.ts';
import { strategyLabel } from '../../domain/strategy.ts';
import { hideSecret } from '../../domain/secret.ts';
import { createTimedClient } from '../../io/timed-request.ts';
import type { TimedClient } from '../../io/timed-request.ts';
import type { World } from '../../io/world.ts';
import type { SlotsPort } from '../load/closed-loop.ts';
import { compareCounters } from '../analyse/engine-counters.ts';
import type { CounterReading } from '../analyse/engine-counters.ts';
import { stageReport } from '../analyse/stage-report.ts';
import { watchClient } from '../load/client-load.ts';
import type { PromptSource } from '../contract.ts';
import { readCounters } from '../load/counters.ts';
import { profiles } from '../profiles/registry.ts';
import { termsOf } from '../registry-entry.ts';
import { createGuards } from '../load/guards.ts';
import type { Guards, Spent } from '../load/guards.ts';
import { createLiveFigures } from './live-figures.ts';
import type { Preflight } from './preflight.ts';
import type { Relay } from '../load/relay.ts';
import type { RecordWriter } from '../report/record-file.ts';
import { keepRecords } from '../records/kept-records.ts';
import { requestBody, requestHeaders } from '../request-body.ts';
import { remainingLimits, stagePath } from './resume.ts';
import { limitsOf } from '../load/shards.ts';
import { endpointOf } from './run-endpoint.ts';
import { runStage } from './run-stage.ts';
import type { ServerWatch } from '../server/server-watch.ts';
import { newStageState, stopReason } from '../load/stage-state.ts';
import type { StageState } from '../load/stage-state.ts';
import type { WorkerJob } from '../load/worker-protocol.ts';

/** What all stages of a run share. */
export interface Running {
  readonly emit: (message: RunProgress) => void;
  readonly signal: AbortSignal;
  /** The key of the server, already resolved; null when there is none. */
  readonly key: string | null;
  /** That of the engine behind it. */
  readonly engineKey: string | null;
  readonly world: World;
  readonly job: WorkerJob;
  readonly ready: Preflight;
  readonly source: PromptSource;
  readonly writer: RecordWriter;
  readonly watch: ServerWatch;
  readonly spent: Spent;
  readonly now: () => number;
}

export interface StageToMeasure {
  readonly index: number;
  readonly strategy: Strategy;
  readonly firstId: number;
  /** What was measured of it before the run was broken off. */
  readonly part: readonly RecordRow[];
  /** Of a stage that takes slots over from the one before, or passes its own on. */
  readonly relay?: Relay;
}

export interface MeasuredStage {
  readonly report: StageReport;
  readonly sent: number;
  readonly mostInFlight: number;
}

/** One stage, from its first request to its file. */
export async function measureStage(running: Running, stage: StageToMeasure): Promise<MeasuredStage> {
  const { spec, folder } = running.job;
  const { index, strategy, part } = stage;
  const kept = keepRecords();
  const client = createTimedClient(spec.target.url, running.now);
  const startedAt = running.now();
  const state = newStageState(startedAt);
  const { seconds, requests } = spec.limits;
  running.emit({ type: 'stage-started', index, label: strategyLabel(strategy), seconds, requests });
  const before = await begin(running, stage);
  const stopWatching = watchClient();
  const live = createLiveFigures();
  const guards = createGuards(spec, { state, strategy, spent: running.spent });
  const stopTicks = startTicks(running, { index, state, live, guards, reads: client.reads });
  try {
    await send(running, stage, { state, client }, (answered) => {
      const record = withoutKey(answered, running.key);
      kept.add(record);
      live.add(record);
      guards.onRecord(record);
      running.writer.push(record);
    });
  } finally {
    stopTicks();
    client.close();
  }
  const load = stopWatching();
  const own = kept.rows();
  const records = [...part, ...own];
  const engine = state.passedOn !== null ? null : await engineCounters(running, stage, before, own);
  if (state.passedOn !== null) stage.relay?.joined.rows.push(...own);
  await running.watch.mark();
  const dropped = strategy.kind === 'open' ? state.dropped : null;
  const samples = samplesOf(running.watch.since(startedAt), state.passedOn);
  const seams = part.length > 0 ? (running.job.resume?.seams ?? []) : [];
  const stopped = running.signal.aborted
    ? 'interrupted'
    : state.passedOn !== null
      ? null
      : (stopReason(state, spec.limits) ?? (guards.wasSilent(client.reads()) ? 'silent' : null));
  const facts = { index, strategy, spec, client: load, engine, samples, seams, stopped, dropped };
  const report = stageReport(facts, records);
  await running.writer.flush();
  const isOver = stopped === null || termsOf(profiles, spec.profile).goesOnAfter.includes(stopped);
  if (isOver) await running.world.files.write(stagePath(folder, index), `${JSON.stringify(report)}\n`);
  const mostInFlight = new Set(records.map((record) => record.stream)).size;
  return { report, sent: own.length, mostInFlight };
}

/** What is seen of the server belongs to the stage that sends: to the first look after the slots were passed on. */
function samplesOf(samples: readonly ServerSample[], passedOn: number | null): readonly ServerSample[] {
  if (passedOn === null) return samples;
  const after = samples.findIndex(({ at }) => at >= passedOn);
  return after < 0 ? samples : samples.slice(0, after + 1);
}

/** The server before the stage; one that takes slots over must not let them wait for it. */
async function begin(running: Running, { index, relay }: StageToMeasure): Promise<CounterReading | null> {
  if (relay && relay.inherited.length > 0) {
    void running.watch.mark();
    return relay.joined.before;
  }
  await running.watch.mark();
  const before = await counters(running);
  if (relay) Object.assign(relay.joined, { first: index, before, rows: [] });
  return before;
}

async function engineCounters(
  running: Running,
  { index, relay }: StageToMeasure,
  before: CounterReading | null,
  own: readonly RecordRow[],
): Promise<EngineCounters | null> {
  if (before === null) return null;
  // What the stages before have in flight is counted by the engine too.
  await relay?.earlier;
  const compared = await settledCounters(running, before, [...(relay?.joined.rows ?? []), ...own]);
  const stages = index - (relay?.joined.first ?? index) + 1;
  return compared && stages > 1 ? { ...compared, stages } : compared;
}

/** Slots are passed on by a stage that reached its limit in good health; any other one is waited for. */
function slotsOf({ relay }: StageToMeasure, state: StageState, running: Running): SlotsPort {
  if (!relay) return {};
  const { inherited, passOn } = relay;
  return {
    inherited,
    onOver: (slots) => {
      const well = stopReason(state, running.job.spec.limits) === null && state.done > state.failed;
      if (passOn === null || running.signal.aborted || !well) return;
      state.passedOn = running.now();
      passOn({ slots, sent: state.warmup + state.measured });
    },
  };
}

/** A server that refuses may repeat the key that it was shown. */
function withoutKey(record: RequestRecord, key: string | null): RequestRecord {
  return record.error === null || !key ? record : { ...record, error: hideSecret(record.error, key) };
}

/** The load itself; nothing when an earlier part was the whole of it. */
async function send(
  running: Running,
  stage: StageToMeasure,
  { state, client }: { state: StageState; client: TimedClient },
  onRecord: (record: RequestRecord) => void,
): Promise<void> {
  const { spec } = running.job;
  const own = limitsOf(spec, stage.strategy);
  const limits = remainingLimits(own.limits, stage.part);
  if (limits === null) return;
  await runStage(
    { ...stage, spec: { ...spec, ...own, limits }, source: running.source },
    {
      client,
      now: running.now,
      signal: running.signal,
      request: (prompt) => ({
        path: endpointOf(spec).path,
        headers: requestHeaders(running.key),
        body: requestBody(spec, running.ready.model, prompt, running.ready.extras),
      }),
      onRecord,
    },
    state,
    slotsOf(stage, state, running),
  );
}

/** Two lines of progress a second; events are counted by reads, which is near enough for a live figure. */
function startTicks(
  running: Running,
  stage: {
    index: number;
    state: StageState;
    live: ReturnType<typeof createLiveFigures>;
    guards: Guards;
    reads: () => number;
  },
): () => void {
  const { index, state, live, guards, reads } = stage;
  let lastReads = reads();
  let lastAt = running.now();
  const timer = setInterval(() => {
    const now = running.now();
    const eventsPerSecond = ((reads() - lastReads) * 1e6) / Math.max(1, now - lastAt);
    lastReads = reads();
    lastAt = now;
    guards.onTick(now, lastReads);
    // Whoever watches sees the stage that begins, not the last answers of this one.
    if (state.passedOn !== null) return;
    running.emit({
      type: 'tick',
      index,
      phase: state.draining ? 'draining' : state.measuredSince === null ? 'warmup' : 'measured',
      elapsedSeconds: (now - (state.measuredSince ?? state.startedAt)) / 1e6,
      inFlight: state.inFlight,
      done: state.done,
      failed: state.failed,
      eventsPerSecond,
      ...live.at(now),
    });
  }, 500);
  return () => clearInterval(timer);
}

async function counters(running: Running): Promise<CounterReading | null> {
  const { metrics } = running.job.spec.target;
  return metrics === null ? null : readCounters(running.world, metrics, running.engineKey);
}

/** Engines count a request some moments after its last byte: asked again for up to a second until the sums agree. */
async function settledCounters(
  running: Running,
  before: CounterReading,
  records: readonly RecordRow[],
): Promise<EngineCounters | null> {
  for (let attempt = 0; ; attempt += 1) {
    const after = await counters(running);
    if (after === null) return null;
    const compared = compareCounters(before, after, records);
    if (compared.agrees !== false || attempt === 5) return compared;
    await running.world.clock.sleep(200);
  }
}
