import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import type { ModelSource, SourceAccess } from '../model-sources/contract.ts';

export interface PullOptions {
  readonly access: SourceAccess;
  /** Ranges of one file that are fetched at once. */
  readonly connections: number;
  /** A connection over which not even a trickle came for so long is given up for another. */
  readonly stallMs: number;
  /** Asks the place though all is there, and fetches what it has in another form by now. */
  readonly refresh?: boolean;
  /** What its place has listed a moment ago, so that it need not be asked again; null: that is too long ago. */
  readonly listed?: () => ListedModel | null;
  /** Bytes of all files of this model that are there, of how many; null where a place does not tell. */
  readonly onBytes: (done: number, total: number | null) => void;
  readonly onLine: (line: string) => void;
}

export interface FileOfModel {
  readonly kind: ModelSource;
  readonly source: string;
  /** Of the model, below `trees`. */
  readonly folder: string;
  readonly listed: ListedModel;
  readonly file: ListedFile;
}
