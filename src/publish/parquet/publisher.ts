import type { FilePublisher } from '../contract.ts';
import { columnsOf } from './columns.ts';

/** One row a request for pandas, DuckDB and the like: flat columns, units in their names, times in UTC. */
export const parquet: FilePublisher<'parquet'> = {
  kind: 'parquet',
  title: 'one row a request as Parquet, units in the column names',
  fileName: 'records.parquet',
  contentType: 'application/vnd.apache.parquet',
  kept: false,
  render: async (report, records) => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const columns = columnsOf(report, await records());
    const file = parquetWriteBuffer({
      columnData: columns.map(({ name, data }) => ({ name, data })),
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
      kvMetadata: [
        { key: 'berth.run', value: report.id },
        { key: 'berth.definitions', value: JSON.stringify(report.definitions) },
      ],
      createdBy: `berth ${report.environment.berth}`,
    });
    return new Uint8Array(file);
  },
};
