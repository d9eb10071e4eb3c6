import type { ParquetWriteOptions } from 'hyparquet-writer';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { Report } from '../../domain/run/report.ts';
import { requestTimes } from '../../domain/run/request-times.ts';

type SchemaElement = NonNullable<ParquetWriteOptions['schema']>[number];

/** A column with the elements of the file's schema that describe it. */
export interface Column {
  readonly name: string;
  readonly data: unknown[];
  readonly schema: readonly SchemaElement[];
}

type Cell = string | number | Date | null;

/** Every column, in the order of the file; what is unknown is null, never 0. */
export function columnsOf(report: Report, records: readonly RequestRecord[]): Column[] {
  const labels = new Map(report.stages.map((stage) => [stage.index, stage.label]));
  const start = Date.parse(report.startedAt);
  const column = columnMaker(records);
  return [
    column('run_id', 'text', () => report.id),
    column('model', 'text', () => report.server.model),
    column('started_at', 'time', ({ started, scheduled }) => new Date(start + (started ?? scheduled) / 1000)),
    column('stage', 'integer', ({ stage }) => stage),
    column('level', 'text', ({ stage }) => labels.get(stage) ?? null),
    column('phase', 'text', ({ phase }) => phase),
    column('stream', 'integer', ({ stream }) => stream),
    column('request', 'integer', ({ id }) => id),
    column('session', 'integer', ({ session }) => session?.number ?? null),
    column('turn', 'integer', ({ session }) => (session ? session.turn + 1 : null)),
    column('outcome', 'text', ({ outcome }) => outcome),
    column('status', 'integer', ({ status }) => status),
    column('error', 'text', ({ error }) => error),
    column('finish_reason', 'text', ({ finish }) => finish),
    column('scheduled_ms', 'number', ({ scheduled }) => scheduled / 1000),
    column('sent_ms', 'number', ({ sent }) => ms(sent)),
    column('headers_ms', 'number', ({ headers }) => ms(headers)),
    column('first_token_ms', 'number', ({ firstToken }) => ms(firstToken)),
    column('first_content_ms', 'number', ({ firstContent }) => ms(firstContent)),
    column('last_token_ms', 'number', ({ last }) => ms(last)),
    column('done_ms', 'number', ({ done }) => done / 1000),
    column('ttft_ms', 'number', (record) => requestTimes(record).ttft),
    column('ttft_scheduled_ms', 'number', (record) => requestTimes(record).ttftScheduled),
    column('ttfot_ms', 'number', (record) => requestTimes(record).ttfot),
    column('itl_mean_ms', 'number', (record) => requestTimes(record).itlMean),
    column('tpot_ms', 'number', (record) => requestTimes(record).tpot),
    column('e2e_ms', 'number', (record) => requestTimes(record).e2e),
    column('e2e_scheduled_ms', 'number', (record) => requestTimes(record).e2eScheduled),
    column('prompt_tokens', 'integer', ({ prompt }) => prompt.tokens),
    column('cached_tokens', 'integer', ({ cached }) => cached),
    column('output_tokens', 'integer', ({ output }) => output.tokens),
    column('output_tokens_source', 'text', ({ output }) => output.source),
    column('reasoning_tokens', 'integer', ({ reasoning }) => reasoning?.tokens ?? null),
    column('inputs', 'integer', ({ inputs }) => inputs ?? null),
    column('token_events', 'integer', ({ events }) => events),
    gapsOf(records),
  ];
}

function ms(micros: number | null): number | null {
  return micros === null ? null : micros / 1000;
}

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT32' },
  number: { type: 'DOUBLE' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
} as const;

function columnMaker(records: readonly RequestRecord[]) {
  return function column(
    name: string,
    type: keyof typeof types,
    value: (record: RequestRecord) => Cell,
  ): Column {
    return {
      name,
      data: records.map(value),
      schema: [{ name, ...types[type], repetition_type: 'OPTIONAL' }],
    };
  };
}

/** Every gap between token events, as a list: ITL can be computed again from it, and stalls seen. */
function gapsOf(records: readonly RequestRecord[]): Column {
  return {
    name: 'gaps_us',
    data: records.map(({ gaps }) => gaps),
    schema: [
      { name: 'gaps_us', repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'INT32', repetition_type: 'REQUIRED' },
    ],
  };
}
