import { flushAll } from './turn-writer.ts';

/** So long may work that can wait hold up a turn of the event loop: what has come of open streams waits for its end. */
const budgetMs = 1;

/** An object rather than a function: nearly all of it is done at once, and costs no closure then. */
export interface TurnWork {
  /** Must not throw. */
  readonly inItsTurn: () => void;
}

/** When work that can wait was first done in this turn; negative: not yet. */
let since = -1;
/** What did not fit into its turn, oldest first, from `next` on. */
let waiting: TurnWork[] = [];
let next = 0;
/** When it was begun to do them in this turn. */
let begun = 0;

/**
 * Does what can wait (a new request, the accounts of one that has ended) at once while this turn of the event loop has
 * time for it, else in one of the next turns. Nothing overtakes what was given before.
 */
export function soon(work: TurnWork): void {
  if (next === waiting.length && hasTime()) work.inItsTurn();
  else waiting.push(work);
}

/** Resolves when nothing waits. */
export async function workDone(): Promise<void> {
  while (next < waiting.length) await new Promise(setImmediate);
}

function hasTime(): boolean {
  if (since >= 0) return performance.now() - since < budgetMs;
  since = performance.now();
  setImmediate(endTurn);
  return true;
}

function endTurn(): void {
  since = -1;
  if (next === waiting.length) return;
  begun = performance.now();
  step();
}

/** One after the other; what follows from the promises that one has settled is its work as well, and is done before the next. */
function step(): void {
  (waiting[next] as TurnWork).inItsTurn();
  next += 1;
  if (next < waiting.length && performance.now() - begun < budgetMs) {
    queueMicrotask(stepOnceSettled);
    return;
  }
  if (next < waiting.length) setImmediate(endTurn);
  // What is done must not be held by the list of what is to be done.
  if (next === waiting.length || next >= 256) {
    waiting = waiting.slice(next);
    next = 0;
  }
  // Else it would lie until the end of the next turn.
  flushAll();
}

/** Called as a microtask: a tick comes when no microtask is left. */
function stepOnceSettled(): void {
  process.nextTick(step);
}
