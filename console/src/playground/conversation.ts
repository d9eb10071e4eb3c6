import type { ChatEvent } from './chat-stream.ts';

export interface Turn {
  readonly id: number;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly reasoning: string;
  readonly state: 'done' | 'waiting' | 'streaming' | 'stopped' | 'failed';
  readonly error: unknown;
  readonly model: string;
  readonly finish: string | null;
  readonly timing: Timing;
}

/** Moments in ms of the page's clock; null: not yet. */
export interface Timing {
  readonly sent: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Chunks with text, and the tokens that the server counted. */
  readonly chunks: number;
  readonly prompt: number | null;
  readonly output: number | null;
}

export function newTurn(role: Turn['role'], text: string, model: string, now: number): Turn {
  return {
    id: nextId++,
    role,
    text,
    reasoning: '',
    state: role === 'user' ? 'done' : 'waiting',
    error: null,
    model,
    finish: null,
    timing: { sent: now, first: null, last: null, chunks: 0, prompt: null, output: null },
  };
}
let nextId = 1;

/** The answer after one more event of its stream. */
export function grow(turn: Turn, event: ChatEvent, now: number): Turn {
  const { timing } = turn;
  switch (event.type) {
    case 'usage':
      return { ...turn, timing: { ...timing, prompt: event.prompt, output: event.output } };
    case 'finish':
      return { ...turn, finish: event.reason };
    case 'text':
    case 'reasoning': {
      const grown = { ...timing, first: timing.first ?? now, last: now, chunks: timing.chunks + 1 };
      const field = event.type === 'text' ? 'text' : 'reasoning';
      return { ...turn, state: 'streaming', [field]: turn[field] + event.text, timing: grown };
    }
  }
}

export interface Speed {
  readonly ttftMs: number | null;
  /** Of the phase between the first and the last token, as it reached this page. */
  readonly perSecond: number | null;
  /** Tokens by the server's count, else chunks: the two are not the same. */
  readonly unit: 'token' | 'chunk';
  readonly amount: number;
}

/** Null until there is a first token. The rate needs two. */
export function speedOf({ sent, first, last, chunks, output }: Timing): Speed | null {
  if (first === null || last === null) return null;
  const amount = output ?? chunks;
  const seconds = (last - first) / 1000;
  return {
    ttftMs: first - sent,
    perSecond: amount > 1 && seconds > 0 ? (amount - 1) / seconds : null,
    unit: output === null ? 'chunk' : 'token',
    amount,
  };
}

/** What the server is told of the talk so far: finished and stopped turns with a text; failed ones and their questions are left out. */
export function history(turns: readonly Turn[]): { role: Turn['role']; content: string }[] {
  return turns
    .filter((turn, i) => turn.state !== 'failed' && turns[i + 1]?.state !== 'failed' && turn.text !== '')
    .map(({ role, text }) => ({ role, content: text }));
}
