import { csv } from './csv/publisher.ts';
import { guidellm } from './guidellm/publisher.ts';
import { guidellm03 } from './guidellm/publisher-03.ts';
import { html } from './html/publisher.ts';
import { json } from './json/publisher.ts';
import { jsonl } from './jsonl/publisher.ts';
import { markdown } from './markdown/publisher.ts';
import { parquet } from './parquet/publisher.ts';

/** Every file that a run is written as. Add one: write its folder beside these, then name it here. */
export const filePublishers = [json, csv, html, markdown, jsonl, parquet, guidellm, guidellm03] as const;

export type ReportFormat = (typeof filePublishers)[number]['kind'];
