import type { FilePublisher } from '../contract.ts';

/** The raw records, as the run's folder has them; each line is described by the schema of a record. */
export const jsonl: FilePublisher<'jsonl'> = {
  kind: 'jsonl',
  title: 'the raw records, one JSON object a request',
  fileName: 'records.jsonl',
  contentType: 'application/x-ndjson',
  kept: false,
  render: async (_report, records) =>
    (await records()).map((record) => `${JSON.stringify(record)}\n`).join(''),
};
