import type { Report } from '../domain/run/report.ts';

/** A way to write a report as one file. Pure: a publisher gives the text, others put it somewhere. */
export interface FilePublisher<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** Name of the file in the run's folder. */
  readonly fileName: string;
  readonly contentType: string;
  readonly render: (report: Report) => string;
}
