import type { Arg } from '../../domain/launch-spec.ts';

/** One flag on its way to the command line. `raw` words come from the user as they are; `optional` ones may be left out. */
export interface FlagUse {
  readonly flag: string;
  readonly value?: Arg;
  readonly optional?: boolean;
  readonly raw?: boolean;
}

/** What a build says of a flag: the name of its value ("N", "[on|off|auto]"; empty: a switch), and the description. */
export interface FlagHelp {
  readonly value: string;
  readonly text: string;
}

/** Flags that a build knows, by spelling. */
export type KnownFlags = ReadonlyMap<string, FlagHelp>;
