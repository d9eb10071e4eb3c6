/** One table for all commands; documented in docs/usage/exit-codes.md. */
export const exitCodes = {
  done: 0,
  fault: 1,
  usage: 2,
  sloMissed: 3,
  regression: 4,
  clientLimited: 5,
  targetDown: 6,
  partlyApplied: 7,
  findings: 8,
  changes: 9,
  backedOut: 10,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;
export type ExitCode = (typeof exitCodes)[ExitName];
