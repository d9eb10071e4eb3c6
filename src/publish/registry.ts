import { csv } from './csv/publisher.ts';
import { html } from './html/publisher.ts';
import { json } from './json/publisher.ts';

/** Every file that a run's report is written as. Add one: write its folder beside these, then name it here. */
export const filePublishers = [json, csv, html] as const;

export type ReportFormat = (typeof filePublishers)[number]['kind'];
