import { join } from 'node:path';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { StageReport } from '../../domain/run/stage-report.ts';
import type { Files } from '../../io/files.ts';
import { extent } from '../../stats/extent.ts';
import { cutFile } from '../../io/append-file.ts';
import { createRecordWriter, readRecords, readRows, recordsPath } from '../report/record-file.ts';
import { columnsPath, stageStart, wholeBytes } from '../records/column-file.ts';
import { readSamples, samplesPath } from '../server/server-watch.ts';

/** How far a run came that did not reach its end. */
export interface Progress {
  /** Stages that ended by their own limit. */
  readonly stages: readonly StageReport[];
  /** Records of the stage after those. */
  readonly part: readonly RecordRow[];
  /** Stages after that one which had begun already. */
  readonly later: readonly number[];
  /** No request with this number or a higher one was ever sent. */
  readonly nextId: number;
  /** Where the run's clock stood at the last thing that was written, µs. */
  readonly clock: number;
}

/** Requests that were in flight when a run was killed have no record, but their prompts were sent. */
const unrecorded = 4096;

export async function readProgress(files: Files, folder: string): Promise<Progress> {
  const records = await readRows(files, folder);
  const samples = await readSamples(files, folder);
  const stages: StageReport[] = [];
  for (;;) {
    const text = await files.read(stagePath(folder, stages.length));
    if (text === null) break;
    stages.push(StageReport.parse(JSON.parse(text)));
  }
  const ends = [...records.map(({ done }) => done), ...samples.map(({ at }) => at)];
  return {
    stages,
    part: records.filter(({ stage }) => stage === stages.length),
    later: [...new Set(records.map(({ stage }) => stage))].filter((stage) => stage > stages.length),
    nextId: records.length === 0 ? 0 : extent(records.map(({ id }) => id)).max + 1 + unrecorded,
    clock: ends.length === 0 ? 0 : extent(ends).max,
  };
}

/** A stage has this file when it ended by its own limit. */
export function stagePath(folder: string, index: number): string {
  return join(folder, `stage-${index}.json`);
}

/** Takes off a last line or block that a crash has cut, so that what is appended begins one of its own. */
export async function mendTails(files: Files, folder: string): Promise<void> {
  for (const path of [recordsPath(folder), samplesPath(folder)]) {
    const text = await files.read(path);
    if (text !== null && text !== '' && !text.endsWith('\n'))
      await files.write(path, text.slice(0, text.lastIndexOf('\n') + 1));
  }
  const columns = columnsPath(folder);
  if ((await files.stat(columns)) !== null) await cutFile(columns, await wholeBytes(columns));
}

/**
 * What is left of a stage's limits after a part of it; null when that part was the whole. Requests that were cut when the
 * run was interrupted are not among those that were asked for.
 */
export function remainingLimits(
  limits: RunSpec['limits'],
  part: readonly RecordRow[],
): RunSpec['limits'] | null {
  const measured = part.filter(({ phase }) => phase === 'measured');
  if (measured.length === 0) return limits;
  const spent =
    (extent(part.map(({ done }) => done)).max - extent(measured.map((r) => r.scheduled)).min) / 1e6;
  const seconds = limits.seconds === null ? null : limits.seconds - spent;
  const answered = measured.filter(({ outcome }) => outcome !== 'censored').length;
  const requests = limits.requests === null ? null : limits.requests - answered;
  if ((seconds !== null && seconds <= 0) || (requests !== null && requests <= 0)) return null;
  return { ...limits, seconds, requests };
}

/**
 * An open loop's schedule is one whole: what there is of a stage is put beside the run, into `set-aside.jsonl`, where
 * nothing counts it, and the stage is measured anew.
 */
export async function setAside(files: Files, folder: string, stage: number): Promise<void> {
  const records = await readRecords(files, folder);
  const lines = { kept: '', aside: '' };
  for (const record of records)
    lines[record.stage === stage ? 'aside' : 'kept'] += `${JSON.stringify(record)}\n`;
  await files.append(join(folder, 'set-aside.jsonl'), lines.aside);
  const columns = columnsPath(folder);
  if ((await files.stat(columns)) === null) return files.write(recordsPath(folder), lines.kept);
  const { offset, before } = await stageStart(columns, stage);
  await cutFile(columns, offset);
  // A stage that passes its slots on has records behind the first ones of the next.
  const writer = createRecordWriter(files, folder, 'columns');
  for (const record of records.slice(before)) if (record.stage !== stage) writer.push(record);
  await writer.flush();
  await writer.close();
}
