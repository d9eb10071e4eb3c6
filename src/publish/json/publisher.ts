import type { FilePublisher } from '../contract.ts';

/** The report itself; every other format is made from it. */
export const json: FilePublisher<'json'> = {
  kind: 'json',
  title: 'the whole report in its own schema',
  fileName: 'report.json',
  contentType: 'application/json',
  kept: true,
  render: (report) => `${JSON.stringify(report, null, 2)}\n`,
};
