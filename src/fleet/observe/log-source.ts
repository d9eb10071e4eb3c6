/** The output of one engine, or of one of berth's own processes. */
export interface LogSource {
  readonly name: string;
  /** Where a person reads all of it: a path, or a command. */
  readonly place: string;
  readonly last: (count: number) => Promise<string[]>;
  readonly follow: (how: { lines: number; signal: AbortSignal }) => AsyncIterable<string>;
}
