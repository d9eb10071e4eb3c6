import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ByteSource } from '../../io/byte-file.ts';
import type { Dataset, PromptServer, PromptSource } from '../contract.ts';
import { wantedColumns } from '../prompts/columns.ts';
import type { Row } from '../prompts/columns.ts';
import { fileOptions, filePrompts } from '../prompts/file-prompts.ts';

const Options = z.strictObject({
  kind: z.literal('parquet'),
  file: z.string().min(1).describe('A prompt a row.'),
  rows: z.int().positive().optional().describe('Only so many rows, from the first one on.'),
  ...fileOptions,
});
type Options = z.infer<typeof Options>;

async function open(options: Options, server: PromptServer): Promise<PromptSource> {
  const { file: path, columns, output } = options;
  await using source = await server.openFile(path);
  if (source === null) throw new BerthError('FILE_MISSING', { path, what: 'file of prompts' });
  const rows = await rowsOf(source, options).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError(
      'PROMPTS_INVALID',
      { path, faults: [`1: it is no Parquet file that can be read (${reason})`] },
      { cause },
    );
  });
  const numbered = rows.map((row, i) => ({ at: i + 1, row }));
  return filePrompts(numbered, { path, sha256: null, columns, output });
}

/** Only the columns that can matter are read: such files have texts by the gigabyte in others. */
async function rowsOf(source: ByteSource, { columns, rows }: Options): Promise<Row[]> {
  // Loaded when it is used.
  const { brotliDecompressSync, gunzipSync, zstdDecompressSync } = await import('node:zlib');
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const file = {
    byteLength: source.size,
    slice: async (start: number, end = source.size) => bufferOf(await source.read(start, end - start)),
  };
  const metadata = await parquetMetadataAsync(file);
  const there = parquetSchema(metadata).children.map(({ element }) => element.name);
  return parquetReadObjects({
    file,
    metadata,
    columns: wantedColumns(columns).filter((name) => there.includes(name)),
    ...(rows !== undefined && { rowEnd: rows }),
    compressors: {
      GZIP: (bytes) => gunzipSync(bytes),
      ZSTD: (bytes) => zstdDecompressSync(bytes),
      BROTLI: (bytes) => brotliDecompressSync(bytes),
    },
  });
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** Prompts of the user's own, a row each. */
export const parquet: Dataset<'parquet', Options> = {
  kind: 'parquet',
  title: 'prompts from a Parquet file',
  options: Options,
  open,
};
