import type { z } from 'zod';
import type { Strategy } from '../../domain/load-shape.ts';
import type { Outcome } from '../../domain/run/record.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { PromptSource } from '../contract.ts';
import type { TruthCase } from '../truth/truth-case.ts';

/** One way of answering, and what an honest measurement must find. */
export interface SelftestCase {
  readonly name: string;
  readonly truth: z.input<typeof TruthCase>;
  readonly requests: number;
  readonly streams: number;
  readonly stream: boolean;
  readonly timeoutMs: number;
  /** How it is sent; a closed loop of so many streams where nothing is said. */
  readonly load?: Partial<Pick<RunSpec, 'warmup' | 'drainSeconds'>> & {
    readonly strategy?: Strategy;
    readonly seconds?: number;
    /** The requests of a trace, in place of numbered ones. */
    readonly timed?: PromptSource['timed'];
  };
  readonly expect: {
    readonly outcomes: Partial<Record<Outcome, number>>;
    /** Of each good request. */
    readonly outputTokens: number;
    readonly events: number;
    /** Of the tokens, those of reasoning, with what was to follow them. */
    readonly reasoning?: number;
    /** Stalls that must be counted; null where none are checked. */
    readonly stalls: number | null;
  };
}

const tokens = 20;
const plain = { requests: 8, streams: 4, stream: true, timeoutMs: 20_000 } as const;
const good = { outcomes: { ok: 8 }, outputTokens: tokens, events: tokens, stalls: null } as const;

/** Every other request ends in this fault. */
function faulty(kind: NonNullable<TruthCase['fault']>['kind'], outcome: Outcome): SelftestCase {
  return {
    ...plain,
    name: kind === 'dead' ? 'fault: silence in the middle' : `fault: ${outcome}`,
    truth: { tokens, ttftMs: 20, itlMs: 5, fault: { every: 2, kind } },
    timeoutMs: kind === 'hang' || kind === 'dead' ? 600 : plain.timeoutMs,
    expect: { ...good, outcomes: { ok: 4, [outcome]: 4 } },
  };
}

export const selftestCases: readonly SelftestCase[] = [
  { ...plain, name: 'one token an event', truth: { tokens, roleFirst: false }, expect: good },
  { ...plain, name: 'all events alike but for their text', truth: { tokens, stampIn: 'text' }, expect: good },
  { ...plain, name: 'gaps of unequal length', truth: { tokens, jitterMs: 8, stampIn: 'text' }, expect: good },
  {
    ...plain,
    name: 'a slow start in every third answer',
    truth: { tokens, slow: { every: 3, ms: 150 }, stampIn: 'text' },
    expect: good,
  },
  {
    ...plain,
    name: 'usage that is wrong',
    truth: { tokens, usageTokens: 7 },
    expect: { ...good, outputTokens: 7 },
  },
  { ...plain, name: 'a role before the first token', truth: { tokens, roleFirst: true }, expect: good },
  {
    ...plain,
    name: 'reasoning before content',
    truth: { tokens, reasoning: 6 },
    expect: { ...good, reasoning: 6 },
  },
  {
    ...plain,
    name: 'four tokens an event',
    truth: { tokens, tokensPerEvent: 4 },
    expect: { ...good, events: tokens / 4 },
  },
  { ...plain, name: 'two events in one write', truth: { tokens, cut: 'pairs' }, expect: good },
  { ...plain, name: 'events cut inside characters', truth: { tokens, cut: 'thirds' }, expect: good },
  {
    ...plain,
    name: 'CRLF, comments, no [DONE], no last line end',
    truth: { tokens, lineEnd: 'crlf', pings: true, doneLine: false, finalBlankLine: false },
    expect: good,
  },
  { ...plain, name: 'usage 300 ms late', truth: { tokens, usageDelayMs: 300 }, expect: good },
  { ...plain, name: 'connection held open', truth: { tokens, holdOpenMs: 400 }, expect: good },
  { ...plain, name: 'no usage', truth: { tokens, usage: false }, expect: good },
  {
    ...plain,
    name: 'a stall in every fourth answer',
    truth: { tokens, stall: { every: 4, ms: 400 } },
    expect: { ...good, stalls: 2 },
  },
  {
    ...plain,
    name: 'not streamed',
    truth: { tokens },
    stream: false,
    expect: { ...good, events: 0 },
  },
  faulty('stream-error', 'stream-error'),
  faulty('reset', 'reset'),
  faulty('truncated', 'truncated'),
  faulty('rate-limited', 'rate-limited'),
  faulty('client-error', 'client-error'),
  faulty('server-error', 'server-error'),
  faulty('malformed', 'malformed'),
  faulty('empty', 'empty'),
  faulty('hang', 'timeout'),
  faulty('dead', 'timeout'),
];
