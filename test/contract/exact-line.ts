/**
 * A command line, with what a careful reader takes from it: "engine model host port", "-" where it says none, "keyed" behind them where it
 * asks for a key; then all of its options. Null where it serves no model.
 */
export type ExactLine = readonly [
  line: string,
  is: string | null,
  options?: Readonly<Record<string, unknown>>,
  env?: Readonly<Record<string, string>>,
];
