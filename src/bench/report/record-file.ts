import { join } from 'node:path';
import { RequestRecord } from '../../domain/run/record.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { openAppendFile } from '../../io/append-file.ts';
import type { Files } from '../../io/files.ts';
import { encodeBlock, fileHead } from '../records/block.ts';
import { columnsPath, readSegments } from '../records/column-file.ts';

/** Appends records as they come, several to a write when the disk is slower than the run. */
export interface RecordWriter {
  readonly push: (record: RequestRecord) => void;
  /** Resolves when everything pushed so far is in the file; rejects when it cannot be written. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Lines that everything reads, or columns: a third of the size, and read many times faster. */
export type RecordForm = 'lines' | 'columns';

/** From so many requests a stage on, columns are what a run gets where nothing else is said. */
const columnsFrom = 100_000;
/** Records of a block: what is read at once. */
const mostInBlock = 4096;

export function recordsPath(folder: string): string {
  return join(folder, 'records.jsonl');
}

export function formOf({ records, limits }: Pick<RunSpec, 'records' | 'limits'>): RecordForm {
  return records ?? ((limits.requests ?? 0) >= columnsFrom ? 'columns' : 'lines');
}

export function createRecordWriter(files: Files, folder: string, form: RecordForm): RecordWriter {
  const path = form === 'lines' ? recordsPath(folder) : columnsPath(folder);
  const file = openAppendFile(path);
  let waiting: RequestRecord[] = [];
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;
  let begun = form === 'lines';
  async function drain(): Promise<void> {
    scheduled = false;
    const records = waiting;
    waiting = [];
    if (!begun && ((await files.stat(path))?.size ?? 0) === 0) await file.append(fileHead());
    begun = true;
    for (let at = 0; at < records.length; at += mostInBlock)
      await file.append(encoded(records.slice(at, at + mostInBlock), form));
  }
  return {
    push: (record) => {
      waiting.push(record);
      if (scheduled) return;
      scheduled = true;
      writing = writing.then(drain);
      // A failed write is reported by the next flush.
      writing.catch(() => {});
    },
    flush: async () => {
      await writing;
    },
    close: file.close,
  };
}

function encoded(records: readonly RequestRecord[], form: RecordForm): string | Buffer {
  return form === 'columns'
    ? encodeBlock(records)
    : records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Whether a run has any record. */
export async function hasRecords(files: Files, folder: string): Promise<boolean> {
  const found = await Promise.all([recordsPath(folder), columnsPath(folder)].map(files.stat));
  return found.some((each) => each !== null);
}

/** All records of a run, whole. What a crash has cut at the end is left out. */
export async function readRecords(files: Files, folder: string): Promise<RequestRecord[]> {
  const segments = await readSegments(columnsPath(folder));
  if (segments === null) return readLines(files, folder);
  return segments.flatMap((segment) =>
    Array.from({ length: segment.count }, (_, place) => segment.recordOf(place)),
  );
}

/** The same as far as an analysis reads it: of columns a few hundred bytes a request, and nothing is parsed. */
export async function readRows(files: Files, folder: string): Promise<readonly RecordRow[]> {
  const segments = await readSegments(columnsPath(folder));
  if (segments === null) return readLines(files, folder);
  return segments.flatMap((segment) => segment.rows());
}

async function readLines(files: Files, folder: string): Promise<RequestRecord[]> {
  const text = (await files.read(recordsPath(folder))) ?? '';
  const end = text.lastIndexOf('\n');
  return text
    .slice(0, end + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => RequestRecord.parse(JSON.parse(line)));
}
