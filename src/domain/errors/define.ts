import type { ExitName } from '../exit-codes.ts';

/** One kind of error: what happened, how to cure it, and how the process exits when it ends a command. */
export interface ErrorKind<Facts> {
  readonly message: (facts: Facts) => string;
  readonly cure: (facts: Facts) => string;
  readonly exit: ExitName;
}

export function defineError<Facts>(
  message: (facts: Facts) => string,
  cure: (facts: Facts) => string,
  exit: ExitName = 'fault',
): ErrorKind<Facts> {
  return { message, cure, exit };
}
