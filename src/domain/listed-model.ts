/** Sums of object stores beside SHA-256, which they tell of a whole object also where it was sent in parts. */
export const crcKinds = ['crc64nvme', 'crc32c', 'crc32'] as const;
export type CrcKind = (typeof crcKinds)[number];

/** A file as its place lists it, before anything of it is fetched. */
export interface ListedFile {
  /** Within the model, with "/" between folders; never absolute, never with "..". */
  readonly path: string;
  readonly size: number | null;
  /** In hexadecimal; null where the place does not tell. */
  readonly sha256: string | null;
  /** Where git keeps the file itself: its name there, which is a sum of its content. */
  readonly gitName?: string;
  /** Where its place tells another sum than SHA-256: which, and what it is in base64. */
  readonly crc?: { readonly kind: CrcKind; readonly value: string };
}

/** What a place says of a model. */
export interface ListedModel {
  /** A commit or version that stays what it is; null where the place has none. */
  readonly revision: string | null;
  readonly licence: string | null;
  readonly files: readonly ListedFile[];
}

/** What a source text asks for within its place. */
export interface WantedFiles {
  /** A file or folder; null for all of it. */
  readonly path: string | null;
  /** "Q4_K_M" of "hf://owner/name:Q4_K_M". */
  readonly quant: string | null;
}

/** False for names that would leave the folder they are put into. */
export function isSafePath(path: string): boolean {
  const parts = path.split('/');
  return (
    !path.includes('\0') && !path.includes('\\') && parts.every((part) => !['', '.', '..'].includes(part))
  );
}
