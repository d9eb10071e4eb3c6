import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import { RunFile } from '../../domain/run/report.ts';
import type { Report } from '../../domain/run/report.ts';
import type { Shard } from '../../domain/run/shard.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import type { World } from '../../io/world.ts';
import { extent } from '../../stats/extent.ts';
import { stageReport } from '../analyse/stage-report.ts';
import type { Span } from '../analyse/window.ts';
import { composeReport } from '../report/compose-report.ts';
import { profiles } from '../profiles/registry.ts';
import { timeColumns } from '../records/columns.ts';
import { createRecordWriter, formOf, readRecords } from '../report/record-file.ts';
import { nextOf } from '../registry-entry.ts';
import { stagePath } from './resume.ts';
import { runId, writeReport, writeRunFile } from './run-benchmark.ts';
import { loadReport, readRunFile, runFolder } from './runs.ts';
import { wholeId } from '../load/shards.ts';

interface Part {
  readonly run: RunFile;
  readonly report: Report;
  readonly shard: Shard;
  readonly records: readonly RequestRecord[];
}

/**
 * One run out of the shards of several clients, in a folder of its own: records with numbers and streams of the whole, on
 * the clock of the one that began first. Latencies were taken by one clock each; only windows and rates need the clocks
 * of the machines to agree, and a window is where every shard was in its own. Throws SHARDS_UNFIT.
 */
export async function mergeRuns(
  world: World,
  names: readonly string[],
): Promise<{ folder: string; report: Report }> {
  const parts = await Promise.all(names.map((name) => readPart(world, name)));
  parts.sort((a, b) => a.shard.index - b.shard.index);
  checkShards(parts);
  const [first] = parts as [Part, ...Part[]];
  const origin = Math.min(...parts.map(originOf));
  const { shard: _, ...spec } = first.run.spec;
  const startedAt = new Date(Math.min(...parts.map(({ run }) => Date.parse(run.startedAt))));
  const id = runId(world.clock.wall(), spec.name);
  const folder = join(world.places.runs, id);
  const run = RunFile.parse({ ...first.run, id, startedAt: startedAt.toISOString(), spec, resumed: [] });
  await writeRunFile(world, folder, run);
  const moved = movedRecords(parts, origin);
  const writer = createRecordWriter(world.files, folder, formOf(run.spec));
  for (const record of moved) writer.push(record);
  await writer.flush();
  await writer.close();
  const stages = stagesOf(run, parts, moved, origin);
  for (const stage of stages)
    await world.files.write(stagePath(folder, stage.index), `${JSON.stringify(stage)}\n`);
  const end = {
    interrupted: parts.some(({ report }) => report.interrupted),
    unfinished: parts.some(({ report }) => report.unfinished),
    server: { ...first.report.server, notes: [...first.report.server.notes, clockNote(parts)] },
    calibration: worstCalibration(parts),
    originAt: new Date(origin).toISOString(),
  };
  const endedAt = new Date(Math.max(...parts.map(({ report }) => Date.parse(report.endedAt))));
  const report = composeReport(run, stages, end, endedAt);
  await writeReport(world, folder, report);
  return { folder, report };
}

async function readPart(world: World, name: string): Promise<Part> {
  const folder = await runFolder(world, name);
  const run = await readRunFile(world, folder);
  const { shard } = run.spec;
  if (!shard) throw new BerthError('SHARDS_UNFIT', { reason: `${run.id} was not measured with --shard` });
  return {
    run,
    shard,
    report: await loadReport(world, folder),
    records: await readRecords(world.files, folder),
  };
}

/** All of one run, each once. */
function checkShards(parts: readonly Part[]): void {
  const [first] = parts;
  if (!first) throw new BerthError('SHARDS_UNFIT', { reason: 'none was named' });
  const { of } = first.shard;
  const have = parts.map(({ shard }) => shard.index);
  const wanted = Array.from({ length: of }, (_, i) => i + 1);
  if (have.join(',') !== wanted.join(','))
    throw new BerthError('SHARDS_UNFIT', {
      reason: `a whole run is the shards ${wanted.join(', ')}, and these are ${have.join(', ')}`,
    });
  const same = JSON.stringify({ ...first.run.spec, shard: { of } });
  for (const { run, shard, report } of parts) {
    if (JSON.stringify({ ...run.spec, shard: { of: shard.of } }) !== same)
      throw new BerthError('SHARDS_UNFIT', {
        reason: `${run.id} was asked for something else than ${first.run.id}`,
      });
    if (report.originAt === null)
      throw new BerthError('SHARDS_UNFIT', {
        reason: `${run.id} has no report, so when its clock began is not known`,
      });
  }
}

/** Zero of the part's clock, ms since 1970 by the clock of its machine. */
function originOf({ report }: Part): number {
  return Date.parse(report.originAt ?? '');
}

function shiftOf(part: Part, origin: number): number {
  return Math.round((originOf(part) - origin) * 1000);
}

function movedRecords(parts: readonly Part[], origin: number): RequestRecord[] {
  let streams = 0;
  const moved: RequestRecord[] = [];
  for (const part of parts) {
    const shift = shiftOf(part, origin);
    for (const record of part.records) {
      const times = timeColumns.map((name) => [name, record[name] === null ? null : record[name] + shift]);
      const { session } = record;
      const own = {
        id: wholeId(record.id, part.shard),
        stream: record.stream + streams,
        ...(session && { session: { ...session, number: wholeId(session.number, part.shard) } }),
      };
      moved.push({ ...record, ...own, ...(Object.fromEntries(times) as Pick<RequestRecord, 'done'>) });
    }
    streams += extent(part.records.map(({ stream }) => stream)).max + 1;
  }
  return moved.toSorted((a, b) => a.done - b.done);
}

function stagesOf(
  run: RunFile,
  parts: readonly Part[],
  moved: readonly RequestRecord[],
  origin: number,
): StageReport[] {
  const next = nextOf(profiles, run.spec.profile);
  const stages: StageReport[] = [];
  for (;;) {
    const index = stages.length;
    const own = parts.map(({ report }) => report.stages[index]);
    const strategy = own.every((stage) => stage !== undefined) ? next(stages) : null;
    if (strategy === null) return stages;
    const windows = parts.map((part) => movedWindow(part, index, shiftOf(part, origin)));
    const facts = {
      index,
      strategy,
      spec: run.spec,
      client: worstLoad(own as StageReport[]),
      engine: null,
      samples: [],
      seams: [],
      stopped: own.map((stage) => stage?.stopped ?? null).find((reason) => reason !== null) ?? null,
      dropped: strategy.kind === 'open' ? sumDropped(own as StageReport[]) : null,
      within: commonSpan(windows),
    };
    stages.push(
      stageReport(
        facts,
        moved.filter(({ stage }) => stage === index),
      ),
    );
  }
}

function movedWindow({ report }: Part, index: number, shift: number): Span | null {
  const window = report.stages[index]?.window ?? null;
  return window && { start: window.start + shift, end: window.end + shift };
}

/** Where all were in theirs; an empty span when they never were at once. */
function commonSpan(windows: readonly (Span | null)[]): Span {
  const known = windows.flatMap((window) => window ?? []);
  if (known.length < windows.length) return { start: 0, end: 0 };
  return {
    start: Math.max(...known.map(({ start }) => start)),
    end: Math.min(...known.map(({ end }) => end)),
  };
}

function worstLoad(stages: readonly StageReport[]): {
  loopDelayP99Ms: number | null;
  cpuShare: number | null;
  clockDriftMs: number | null;
  elapsedMs: number | null;
} {
  return {
    loopDelayP99Ms: worst(stages.map(({ client }) => client.loopDelayP99Ms)),
    cpuShare: worst(stages.map(({ client }) => client.cpuShare)),
    elapsedMs: worst(stages.map(({ whole }) => whole && (whole.end - whole.start) / 1000)),
    clockDriftMs: worst(stages.map(({ client }) => client.clockDriftMs && Math.abs(client.clockDriftMs))),
  };
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.flatMap((value) => value ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

function sumDropped(stages: readonly StageReport[]): number | null {
  return stages.reduce<number | null>((sum, { openLoop }) => {
    const dropped = openLoop?.dropped ?? null;
    return sum === null || dropped === null ? null : sum + dropped;
  }, 0);
}

function worstCalibration(parts: readonly Part[]): Report['calibration'] {
  const known = parts.flatMap(({ report }) => report.calibration ?? []);
  return known.toSorted((a, b) => b.errorP99Ms - a.errorP99Ms)[0] ?? null;
}

/** Nobody measured how far the machines' clocks are apart, so what is known of it is said. */
function clockNote(parts: readonly Part[]): string {
  const begun = parts.map((part) => {
    const sent = extent(part.records.map(({ scheduled }) => scheduled)).min / 1000;
    return originOf(part) + sent;
  });
  const apart = Math.max(...begun) - Math.min(...begun);
  return (
    `${parts.length} clients made this run; by their own clocks their first requests left ${Math.round(apart)} ms apart. ` +
    'Each latency is of one clock; windows and rates take the clocks of the machines to agree, so keep these in step (NTP).'
  );
}
