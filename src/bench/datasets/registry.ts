import { jsonl } from './jsonl.ts';
import { synthetic } from './synthetic.ts';
import { trace } from './trace.ts';

/** Every source of prompts. Add one: write its file beside these, then name it here. */
export const datasets = [synthetic, jsonl, trace] as const;

export type DatasetKind = (typeof datasets)[number]['kind'];
