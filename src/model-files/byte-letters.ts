/**
 * Byte-level vocabularies write each byte as one printable letter (the scheme of GPT-2): printable bytes stand for
 * themselves, the others are moved to 256 and up. Index: byte; value: letter.
 */
export const byteLetters: readonly string[] = makeLetters();

/** The inverse: byte of a letter. */
export const letterBytes: ReadonlyMap<string, number> = new Map(
  byteLetters.map((letter, byte) => [letter, byte]),
);

function makeLetters(): string[] {
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    if (printable) return String.fromCodePoint(byte);
    moved += 1;
    return String.fromCodePoint(255 + moved);
  });
}
