import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { withTurns } from '../load/conversation.ts';
import { measureStage } from './measure-stage.ts';
import type { MeasuredStage, Running } from './measure-stage.ts';
import { profiles } from '../profiles/registry.ts';
import { nextOf, termsOf } from '../registry-entry.ts';
import type { JoinedStages, Passed } from '../load/relay.ts';
import { readProgress, setAside } from './resume.ts';
import { strategyOf } from '../load/shards.ts';

/** The most streams that any stage had, and whether the run came to its end. */
export interface StagesRun {
  readonly most: number;
  readonly complete: boolean;
}

/** Where the stages begin: those before are over, and of the first there may be a part. */
interface Begin {
  readonly done: StageReport[];
  readonly part: readonly RecordRow[];
  readonly firstId: number;
}

/** All stages of a run, as the profile says. */
export async function runStages(running: Running): Promise<StagesRun> {
  const { job, world } = running;
  const { spec } = job;
  const before = job.resume && (await readProgress(world.files, job.folder));
  const begin = {
    done: [...(before?.stages ?? [])],
    part: before?.part ?? [],
    firstId: job.resume?.nextId ?? 0,
  };
  // A stage that had begun while the one before it was not over yet has no part of its own to go on with.
  for (const stage of before?.later ?? []) await setAside(world.files, job.folder, stage);
  const { list } = termsOf(profiles, spec.profile);
  if (list === null) return oneByOne(running, begin);
  const strategies = list.map((strategy) => strategyOf(strategy, spec.shard));
  return joined(running, strategies, begin);
}

async function oneByOne(running: Running, begin: Begin): Promise<StagesRun> {
  const { spec, folder } = running.job;
  const next = nextOf(profiles, spec.profile);
  const { goesOnAfter } = termsOf(profiles, spec.profile);
  const { done } = begin;
  let { part, firstId } = begin;
  let most = 0;
  for (;;) {
    if (running.signal.aborted) return { most, complete: false };
    const whole = next(done);
    const strategy = whole && withTurns(strategyOf(whole, spec.shard), running.source);
    if (strategy === null) return { most, complete: true };
    if (part.length > 0 && strategy.kind === 'open') {
      await setAside(running.world.files, folder, done.length);
      part = [];
    }
    const stage = { index: done.length, strategy, firstId, part };
    const { report, sent, mostInFlight } = await measureStage(running, stage);
    part = [];
    most = Math.max(most, mostInFlight);
    firstId += sent;
    done.push(report);
    tell(running, report);
    if (report.stopped !== null && !goesOnAfter.includes(report.stopped)) return { most, complete: false };
  }
}

/**
 * Closed loops whose list is known beforehand: when one admits no more, the next begins with its slots, each as its last
 * request ends. So the load never falls between them, and for a while two stages are measured at once.
 */
async function joined(
  running: Running,
  strategies: readonly Strategy[],
  { done, part, firstId }: Begin,
): Promise<StagesRun> {
  const together: JoinedStages = { first: done.length, before: null, rows: [] };
  const told: Promise<MeasuredStage>[] = [];
  let inherited: Passed['slots'] = [];
  let id = firstId;
  for (let index = done.length; index < strategies.length && !running.signal.aborted; index += 1) {
    const earlier = Promise.allSettled(told);
    const passing = Promise.withResolvers<Passed | null>();
    const measured = measureStage(running, {
      index,
      strategy: strategies[index] as Strategy,
      firstId: id,
      part: index === done.length ? part : [],
      relay: {
        inherited,
        earlier,
        passOn: index + 1 < strategies.length ? passing.resolve : null,
        joined: together,
      },
    });
    const before = told.at(-1);
    // Reports come in the order of the stages, whichever is ready first.
    const one = (async () => {
      const stage = await measured;
      await before;
      tell(running, stage.report);
      return stage;
    })();
    told.push(one);
    one.catch(() => {}).finally(() => passing.resolve(null));
    const passed = await passing.promise;
    if (passed === null) {
      // It was the last, it failed, or it had to be waited for to its end.
      const { report, sent } = await one;
      if (report.stopped !== null) break;
      inherited = [];
      id += sent;
    } else {
      inherited = passed.slots;
      id += passed.sent;
    }
  }
  const all = await Promise.all(told);
  const complete = !running.signal.aborted && all.every(({ report }) => report.stopped === null);
  return { most: Math.max(0, ...all.map(({ mostInFlight }) => mostInFlight)), complete };
}

function tell(running: Running, report: StageReport): void {
  running.emit({ type: 'stage-ended', stage: report });
  if (report.requests.ok === 0 && !running.signal.aborted) throw nothingAnswered(running.job.spec, report);
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
