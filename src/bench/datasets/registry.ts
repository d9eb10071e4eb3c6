import { csv } from './csv.ts';
import { jsonl } from './jsonl.ts';
import { parquet } from './parquet.ts';
import { sharegpt } from './sharegpt.ts';
import { synthetic } from './synthetic.ts';
import { trace } from './trace.ts';

/** Every source of prompts. Add one: write its file beside these, then name it here. */
export const datasets = [synthetic, jsonl, csv, parquet, sharegpt, trace] as const;

export type DatasetKind = (typeof datasets)[number]['kind'];
