import type { Subject } from './bounds.ts';
import type { Book } from './book.ts';
import { AnswerLength } from './estimate.ts';

/** Requests under way of one key or model, those that wait for a slot among them. */
export interface Crowd {
  underWay: number;
  /** How long they took so far. */
  meanMs: number;
}

/** Told of what was used, after the request has ended. */
export interface Ledger {
  readonly add: (
    of: { key: string; model: string },
    used: { input: number; output: number; usd: number },
    /** By the time that limits are counted by. */
    wallMs: number,
  ) => void;
}

/** What is counted, whatever the limits are: it outlives a reload. */
export interface LimitsMemory {
  /** That in force: a request that began under another file is written to this one. */
  ledger: Ledger | null;
  readonly book: Book;
  readonly crowds: Map<string, Crowd>;
  readonly answers: Map<string, AnswerLength>;
}

export function createLimitsMemory(): LimitsMemory {
  return { ledger: null, book: new Map(), crowds: new Map(), answers: new Map() };
}

export function crowdOf(memory: LimitsMemory, { id }: Pick<Subject, 'id'>): Crowd {
  let crowd = memory.crowds.get(id);
  if (!crowd) {
    crowd = { underWay: 0, meanMs: 1000 };
    memory.crowds.set(id, crowd);
  }
  return crowd;
}

export function leaveCrowd(crowd: Crowd, tookMs: number): void {
  crowd.underWay -= 1;
  crowd.meanMs += (Math.max(0, tookMs) - crowd.meanMs) * 0.1;
}

export function answerLength(memory: LimitsMemory, model: string): AnswerLength {
  let length = memory.answers.get(model);
  if (!length) {
    length = new AnswerLength();
    memory.answers.set(model, length);
  }
  return length;
}
