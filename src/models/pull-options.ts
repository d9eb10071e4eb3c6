import type { SourceAccess } from '../model-sources/contract.ts';

export interface PullOptions {
  readonly access: SourceAccess;
  /** Ranges of one file that are fetched at once. */
  readonly connections: number;
  readonly stallMs: number;
  /** Asks the place though all is there, and fetches what it has in another form by now. */
  readonly refresh?: boolean;
  /** Bytes of all files of this model that are there, of how many; null where a place does not tell. */
  readonly onBytes: (done: number, total: number | null) => void;
  readonly onLine: (line: string) => void;
}
