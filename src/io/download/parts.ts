/** Bytes of one part: what a worker asks for at once. */
export const partBytes = 16 * 1024 * 1024;

/** What makes two answers the same file: without any of it, they are taken for the same when the size is. */
export interface Identity {
  readonly size: number;
  readonly etag: string | null;
  readonly modified: string | null;
}

export interface Range {
  readonly from: number;
  /** The last byte, itself included. */
  readonly to: number;
}

export function partCount(size: number): number {
  return Math.max(1, Math.ceil(size / partBytes));
}

/** Where a part begins and ends in a file of `size` bytes; the only part of an empty file ends before it begins. */
export function rangeOf(part: number, size: number): Range {
  return { from: part * partBytes, to: Math.min(size, (part + 1) * partBytes) - 1 };
}

export function lengthOf({ from, to }: Range): number {
  return to - from + 1;
}

export function sameFile(one: Identity, other: Identity): boolean {
  if (one.size !== other.size) return false;
  // A weak tag may stay while bytes change, but one that differs tells a change for certain.
  if (one.etag !== null && other.etag !== null) return one.etag === other.etag;
  if (one.modified !== null && other.modified !== null) return one.modified === other.modified;
  return true;
}

/** Of "bytes 0-99/1234" (RFC 9110, 14.4); null where it is anything else or the total is not told. */
export function readContentRange(text: string | undefined): (Range & { readonly size: number }) | null {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text?.trim() ?? '');
  if (!found) return null;
  const [from, to, size] = found.slice(1).map(Number) as [number, number, number];
  return from <= to && to < size ? { from, to, size } : null;
}
