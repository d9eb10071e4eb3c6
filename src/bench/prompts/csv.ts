/** A record of a CSV file, with the line at which it begins. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV text (RFC 4180): cells may be quoted, and then have separators, doubled quotes and line breaks in
 * them. Empty lines are none. The last record is `open` when its quote is never closed.
 */
export function* csvRecords(
  text: string,
  separator: string,
): Generator<CsvRecord & { readonly open?: true }> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const begin = line;
    const cells: string[] = [];
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at, separator);
      line += cell.lines;
      cells.push(cell.value);
      at = cell.end;
      if (cell.open) {
        yield { line: begin, cells, open: true };
        return;
      }
      if (text[at] !== separator) break;
      at += 1;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    line += 1;
    if (cells.length > 1 || cells[0] !== '') yield { line: begin, cells };
  }
}

interface Cell {
  readonly value: string;
  /** Where it ends: at a separator, a line break, or the end of the text. */
  readonly end: number;
  readonly lines: number;
  readonly open?: boolean;
}

function plainCell(text: string, start: number, separator: string): Cell {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return { value: text.slice(start, end), end, lines: 0 };
}

/** What stands behind the closing quote and before the next separator belongs to the cell, as spreadsheets read it. */
function quotedCell(text: string, start: number): Cell {
  let value = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return { value: value + text.slice(from), end: text.length, lines: 0, open: true };
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const lines = text.slice(start, quote).split('\n').length - 1;
      return { value, end: quote + 1, lines };
    }
    value += '"';
    from = quote + 2;
  }
}
