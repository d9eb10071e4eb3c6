/**
 * A model of an engine that batches as vLLM does, step by step, for one GPU of the L4 kind: it is there to compare ways
 * of limiting, not to predict hardware. All times are milliseconds of the simulation.
 */
export interface ModelRequest {
  readonly arrivedAt: number;
  readonly prompt: number;
  readonly output: number;
  /** Tokens made so far, and when the first and the last came. */
  made: number;
  firstAt: number | null;
  endedAt: number | null;
}

interface Sequence {
  readonly request: ModelRequest;
  /** Prompt tokens, or tokens to compute again after a preemption, that are still to be read. */
  unread: number;
  cached: number;
}

const maxSequences = 16;
export const kvTokens = 12_800;
const chunk = 512;
const stepMs = 48;
const perSequenceMs = 1;
const perPromptTokenMs = 0.8;

export interface EngineModel {
  readonly add: (request: ModelRequest) => void;
  /** Runs one step from `now` on; returns when it ends, and the requests that ended with it. */
  readonly step: (now: number) => { now: number; ended: readonly ModelRequest[] };
  readonly running: () => number;
  readonly waiting: () => number;
  readonly preemptions: () => number;
}

export function createEngineModel(): EngineModel {
  const waiting: Sequence[] = [];
  let running: Sequence[] = [];
  let preemptions = 0;
  function used(): number {
    return running.reduce((sum, one) => sum + one.cached, 0);
  }
  function makeRoom(tokens: number): void {
    while (used() + tokens > kvTokens && running.length > 1) {
      const last = running.pop() as Sequence;
      waiting.unshift({ request: last.request, unread: last.request.prompt + last.request.made, cached: 0 });
      preemptions += 1;
    }
  }
  function read(budget: number): number {
    let left = budget;
    for (const one of running) {
      const part = Math.min(one.unread, left);
      one.unread -= part;
      left -= part;
    }
    return budget - left;
  }
  function admit(): void {
    for (let next = waiting[0]; next && running.length < maxSequences; next = waiting[0]) {
      if (used() + next.unread > kvTokens && running.length > 0) return;
      waiting.shift();
      next.cached = next.unread;
      running.push(next);
    }
  }
  function decode(at: number): ModelRequest[] {
    for (const one of running) {
      if (one.unread > 0) continue;
      one.request.made += 1;
      one.cached += 1;
      one.request.firstAt ??= at;
      if (one.request.made >= one.request.output) one.request.endedAt = at;
    }
    const ended = running.filter((one) => one.request.endedAt !== null);
    running = running.filter((one) => one.request.endedAt === null);
    return ended.map((one) => one.request);
  }
  return {
    add: (request) => waiting.push({ request, unread: request.prompt, cached: 0 }),
    step: (now) => {
      makeRoom(running.filter((one) => one.unread === 0).length);
      admit();
      const prompts = read(chunk);
      const end = now + stepMs + running.length * perSequenceMs + prompts * perPromptTokenMs;
      return { now: end, ended: decode(end) };
    },
    running: () => running.length,
    waiting: () => waiting.length,
    preemptions: () => preemptions,
  };
}
