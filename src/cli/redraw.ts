import type { WriteStream } from 'node:tty';

/** Lines of a terminal that are written over again and again. */
export interface Redraw {
  readonly draw: (lines: readonly string[]) => void;
  /** Takes what was drawn away. */
  readonly clear: () => void;
}

export function createRedraw(terminal: Pick<WriteStream, 'write' | 'columns'>): Redraw {
  let drawn = 0;
  function clear(): void {
    // Back to the first of the lines that were drawn, and all below it away.
    if (drawn > 0) terminal.write(`\u001B[${drawn}A\r\u001B[J`);
    drawn = 0;
  }
  return {
    clear,
    draw: (lines) => {
      clear();
      const width = terminal.columns || 80;
      // A line that wraps would be two, and the next clearing would miss one.
      terminal.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(''));
      drawn = lines.length;
    },
  };
}
