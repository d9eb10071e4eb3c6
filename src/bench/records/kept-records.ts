import type { RequestRecord } from '../../domain/run/record.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { decodeBlock, encodeBlock, ownHead } from './block.ts';
import { Segment } from './segment.ts';

/** So many records are put into columns at once. */
const batch = 1024;

/** The records of a stage while it goes on: a few hundred bytes each, however many there are. */
export interface KeptRecords {
  readonly add: (record: RequestRecord) => void;
  readonly rows: () => RecordRow[];
}

export function keepRecords(): KeptRecords {
  const segments: Segment[] = [];
  let waiting: RequestRecord[] = [];
  function settle(): void {
    if (waiting.length > 0) segments.push(new Segment(decodeBlock(encodeBlock(waiting), 0, ownHead)));
    waiting = [];
  }
  return {
    add: (record) => {
      waiting.push(record);
      if (waiting.length >= batch) settle();
    },
    rows: () => {
      settle();
      return segments.flatMap((segment) => segment.rows());
    },
  };
}
