import type { RequestRecord } from '../domain/run/record.ts';
import type { Report } from '../domain/run/report.ts';

/** Reads the raw records of the report's run, in the order in which they ended; asked for only by who needs them. */
export type ReadRecords = () => Promise<readonly RequestRecord[]>;

/** A way to write a run as one file. Pure: a publisher gives the content, others put it somewhere. */
export interface FilePublisher<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** Name of the file in the run's folder. */
  readonly fileName: string;
  readonly contentType: string;
  /** Whether the folder of every run gets it; else it is made when somebody asks. */
  readonly kept: boolean;
  readonly render: (
    report: Report,
    records: ReadRecords,
  ) => string | Uint8Array | Promise<string | Uint8Array>;
}
