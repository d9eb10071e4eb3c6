/**
 * What somebody says of himself, as it may be shown to others: no more than so many letters, none of which moves a terminal's cursor or
 * begins a line of its own. Pure.
 */
export function printable(text: string, most: number): string {
  return text.slice(0, most).replaceAll(/\p{C}+/gu, ' ');
}
