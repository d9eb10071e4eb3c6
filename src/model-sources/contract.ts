import type { BerthError } from '../domain/errors/berth-error.ts';
import type { ListedFile, ListedModel, WantedFiles } from '../domain/listed-model.ts';
import type { Address } from '../io/download/connect.ts';
import type { World } from '../io/world.ts';

/** What a place may be shown to be let in; never printed. */
export interface SourceAccess {
  /** The text of the model's `secret`: a token, or lines NAME=VALUE as S3 has them; null without one. */
  readonly secret: string | null;
  readonly signal: AbortSignal;
}

/** A kind of place that models lie in. `source` is the text of the fleet file, of this kind. */
export interface ModelSource<Kind extends string = string> {
  readonly kind: Kind;
  /** How such a source is written. */
  readonly form: string;
  readonly title: string;
  /** Berth fetches nothing from there: a cluster brings it to where it is served. */
  readonly clusterBrings?: true;
  readonly owns: (source: string) => boolean;
  /** What is wrong with one that it owns, as a sentence; null when it is of the form. */
  readonly misshapen: (source: string) => string | null;
  /** The mirror or store that is set in place of the usual one; null where none is, or there is no such thing. `secret` as in SourceAccess. */
  readonly endpoint: (world: World, secret: string | null) => Promise<string | null>;
  readonly wanted: (source: string) => WantedFiles;
  /** What there is; nothing of the files themselves is read. Throws MODEL_NOT_FOUND, MODEL_GATED, MODEL_UNAUTHORIZED, MODEL_QUOTA, MODEL_PLACE_FAILED; MODEL_NOT_PULLED where berth cannot fetch from there. */
  readonly list: (world: World, source: string, access: SourceAccess) => Promise<ListedModel>;
  /** Where the bytes of one listed file are asked for; asked again when an address is refused. */
  readonly address: (
    world: World,
    source: string,
    model: ListedModel,
    file: ListedFile,
    access: SourceAccess,
  ) => Promise<Address>;
  /** One listed file with the sum that its place tells only of it alone; as it was where it tells none. */
  readonly withSum?: (
    world: World,
    source: string,
    file: ListedFile,
    access: SourceAccess,
  ) => Promise<ListedFile>;
  /** What an answer means by which the place gives nothing out. */
  readonly refusal: (
    world: World,
    source: string,
    access: SourceAccess,
    reply: Refusal,
  ) => Promise<BerthError>;
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
