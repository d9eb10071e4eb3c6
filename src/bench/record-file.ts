import { join } from 'node:path';
import { RequestRecord } from '../domain/run/record.ts';
import { openAppendFile } from '../io/append-file.ts';
import type { Files } from '../io/files.ts';

/** Appends records as they come, several to a write when the disk is slower than the run. */
export interface RecordWriter {
  readonly push: (record: RequestRecord) => void;
  /** Resolves when everything pushed so far is in the file; rejects when it cannot be written. */
  readonly flush: () => Promise<void>;
}

export function recordsPath(folder: string): string {
  return join(folder, 'records.jsonl');
}

export function createRecordWriter(folder: string): RecordWriter {
  const file = openAppendFile(recordsPath(folder));
  let waiting = '';
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;
  async function drain(): Promise<void> {
    scheduled = false;
    const lines = waiting;
    waiting = '';
    if (lines !== '') await file.append(lines);
  }
  return {
    push: (record) => {
      waiting += `${JSON.stringify(record)}\n`;
      if (scheduled) return;
      scheduled = true;
      writing = writing.then(drain);
      // A failed write is reported by the next flush.
      writing.catch(() => {});
    },
    flush: async () => {
      await writing;
      await file.close();
    },
  };
}

/** All records of a run. A last line that was cut by a crash is left out. */
export async function readRecords(files: Files, folder: string): Promise<RequestRecord[]> {
  const text = (await files.read(recordsPath(folder))) ?? '';
  const end = text.lastIndexOf('\n');
  return text
    .slice(0, end + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => RequestRecord.parse(JSON.parse(line)));
}
