import type { FilePublisher } from '../contract.ts';
import { page } from './page.ts';

/** One page with tables and charts that needs no network. */
export const html: FilePublisher<'html'> = {
  kind: 'html',
  title: 'one page with tables and charts, complete in itself',
  fileName: 'report.html',
  contentType: 'text/html; charset=utf-8',
  kept: true,
  render: page,
};
