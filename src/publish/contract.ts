import type { z } from 'zod';
import type { RequestRecord } from '../domain/run/record.ts';
import type { Report } from '../domain/run/report.ts';
import type { World } from '../io/world.ts';

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

/** One file of a run, as it is put somewhere. */
export interface RunContent {
  readonly name: string;
  readonly contentType: string;
  readonly content: string | Uint8Array;
}

export interface PublishedRun {
  readonly report: Report;
  readonly files: readonly RunContent[];
  /** Where the files were put by a publisher before this one; null: nowhere. */
  readonly reportUri: string | null;
}

/** A place that runs are told to, beside the folder that each has. Telling it twice is the same as once. */
export interface RunPublisher<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  /** Its keys under `publishers` in the fleet file. */
  readonly options: z.ZodType<Options>;
  /** Puts files somewhere that others can name; those come first. */
  readonly keepsFiles: boolean;
  /** Where it is to be found then, as an address. Throws PUBLISH_FAILED with what the place says; never the secret. */
  readonly publish: (
    world: World,
    run: PublishedRun,
    options: Options,
    secret: string | null,
  ) => Promise<string>;
}
