import { z } from 'zod';
import type { ExitName } from '../exit-codes.ts';

/** Why a stage ended before its own limit, and the run with it. */
export const stopReasons = [
  /** By the user. */
  'interrupted',
  /** So many faults in a row that nothing more was tried. */
  'unreachable',
  /** Not one byte came from the server while its last answers were waited for. */
  'silent',
  'errors',
  'error-rate',
  /** Of an open loop: requests in flight and TTFT grew and grew. */
  'over-saturated',
  'budget',
] as const;
export const StopReason = z.enum(stopReasons);
export type StopReason = z.infer<typeof StopReason>;

/** What each is to a reader of the report, and how the command ends by it. */
export const stops: { readonly [Reason in StopReason]: { readonly text: string; readonly exit: ExitName } } =
  {
    interrupted: { text: 'it was interrupted', exit: 'interrupted' },
    unreachable: { text: 'twenty requests in a row failed', exit: 'targetDown' },
    silent: { text: 'the server sent nothing any more', exit: 'targetDown' },
    errors: { text: 'more requests failed than the limit on errors allows', exit: 'sloMissed' },
    'error-rate': { text: 'a larger share of requests failed than allowed', exit: 'sloMissed' },
    'over-saturated': {
      text: 'the server does not keep up with this rate: requests in flight and TTFT grew and grew',
      exit: 'sloMissed',
    },
    budget: { text: 'the budget is spent', exit: 'done' },
  };
