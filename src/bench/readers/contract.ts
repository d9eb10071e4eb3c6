import type { ForeignRun } from '../../domain/run/foreign-run.ts';

/** Reads the result file of another tool. */
export interface RunReader<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** Whether parsed JSON is a file of this tool; no two readers may want the same file. */
  readonly recognises: (value: unknown) => boolean;
  /** Lenient about what it does not need. Throws a ZodError where something that it needs is missing. */
  readonly read: (value: unknown, name: string) => ForeignRun;
}
