/** Results go to stdout, once: as text for people, or as JSON with --json. Progress and logs go to stderr. */
export interface Output {
  readonly json: boolean;
  /** Colour and redrawing are allowed. */
  readonly terminal: boolean;
  readonly result: (value: unknown, text: () => string) => void;
  /** A line about long work, on stderr. */
  readonly progress: (line: string) => void;
  /** Raw text or bytes on stdout (logs, files). */
  readonly raw: (content: string | Uint8Array) => void;
}

export function createOutput(options: {
  json: boolean;
  out?: NodeJS.WritableStream & { isTTY?: boolean };
  err?: NodeJS.WritableStream & { isTTY?: boolean };
}): Output {
  const out = options.out ?? process.stdout;
  const err = options.err ?? process.stderr;
  return {
    json: options.json,
    terminal: Boolean(err.isTTY),
    result: (value, text) => {
      out.write(options.json ? `${JSON.stringify(value, null, 2)}\n` : ensureNewline(text()));
    },
    progress: (line) => void err.write(ensureNewline(line)),
    raw: (content) => void out.write(content),
  };
}

function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Columns padded to their widest cell; `right` names the columns that hold numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
