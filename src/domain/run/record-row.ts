import type { RequestRecord } from './record.ts';

/** What an analysis reads of a request, whether its record lies in a line or in columns. */
export type RecordRow = Pick<
  RequestRecord,
  | 'id'
  | 'stage'
  | 'phase'
  | 'stream'
  | 'session'
  | 'scheduled'
  | 'started'
  | 'connected'
  | 'sent'
  | 'firstToken'
  | 'firstContent'
  | 'last'
  | 'done'
  | 'events'
  | 'outcome'
  | 'error'
  | 'prompt'
  | 'output'
  | 'reasoning'
  | 'cached'
  | 'inputs'
> & { readonly gaps: readonly number[] | Uint32Array };
