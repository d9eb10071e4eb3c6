import { runSchema } from '../../domain/run/schema-version.ts';
import type { Outcome, RequestRecord, TokenCount, TokenSource } from '../../domain/run/record.ts';
import type { Exchange } from '../../io/timed-request.ts';
import { readAnswer } from '../answer.ts';
import type { Answer } from '../endpoints/contract.ts';

/** What is known of a request before it is sent. */
export interface Planned {
  readonly id: number;
  readonly stage: number;
  readonly phase: 'warmup' | 'measured';
  readonly stream: number;
  readonly scheduled: number;
  readonly askedPrompt: { readonly tokens: number | null; readonly source: TokenSource | null };
  readonly askedOutput: number | null;
  /** Texts of the request, where the answer has something for each. */
  readonly askedInputs?: number;
  readonly streamed: boolean;
  readonly keepText: boolean;
  readonly session?: { readonly number: number; readonly turn: number };
  /** Of its endpoint; absent: that of chat and completions. */
  readonly read?: (exchange: Exchange, keepText: boolean) => Answer;
}

/** The record of a finished exchange. Pure: the same bytes and stamps give the same record. */
export function makeRecord(planned: Planned, exchange: Exchange): RequestRecord {
  const answer = (planned.read ?? readAnswer)(exchange, planned.keepText);
  const outcome = outcomeOf(planned, exchange, answer);
  const times = answer.tokenTimes;
  return {
    schema: runSchema,
    id: planned.id,
    stage: planned.stage,
    phase: planned.phase,
    stream: planned.stream,
    ...(planned.session && { session: planned.session }),
    scheduled: planned.scheduled,
    started: exchange.started,
    connected: exchange.connected,
    sent: exchange.sent,
    headers: exchange.headers,
    firstByte: exchange.body.at[0] ?? null,
    firstToken: times[0] ?? null,
    firstContent: answer.firstContent,
    last: times.at(-1) ?? null,
    done: exchange.done,
    gaps: times.slice(1).map((at, i) => at - (times[i] as number)),
    events: times.length,
    status: exchange.status,
    responseId: answer.id,
    outcome,
    error: outcome === 'ok' ? null : explain(outcome, exchange, answer),
    finish: answer.finish,
    prompt: promptTokens(planned, answer),
    output: outputTokens(planned, answer, times.length),
    reasoning: reasoningTokens(answer),
    ...(answer.inputs === null ? {} : { inputs: answer.inputs }),
    cached: answer.usage?.prompt_tokens_details?.cached_tokens ?? answer.timings?.cache_n ?? null,
    server: answer.timings && {
      promptMs: answer.timings.prompt_ms ?? null,
      outputMs: answer.timings.predicted_ms ?? null,
    },
    text: planned.keepText ? answer.text : null,
  };
}

function outcomeOf(planned: Planned, exchange: Exchange, answer: Answer): Outcome {
  const { fault, status } = exchange;
  if (fault?.kind === 'cut') return 'censored';
  if (fault && fault.kind !== 'truncated') return fault.kind;
  if (status === 429) return 'rate-limited';
  if (status !== null && status >= 500) return 'server-error';
  if (status !== null && status >= 400) return 'client-error';
  if (status !== 200) return fault ? 'truncated' : 'malformed';
  if (answer.fault) return answer.fault.kind;
  if (!answer.complete) return 'truncated';
  if (answer.inputs !== null) {
    if (answer.inputs === 0) return 'empty';
    return answer.inputs < (planned.askedInputs ?? 0) ? 'truncated' : 'ok';
  }
  if (planned.streamed ? answer.tokenTimes.length === 0 : answer.text === '' && !answer.usage) return 'empty';
  return 'ok';
}

function explain(outcome: Outcome, exchange: Exchange, answer: Answer): string {
  if (outcome === 'truncated' && answer.inputs !== null)
    return `The answer has ${answer.inputs} of the texts of its request, and not the others.`;
  if (outcome === 'truncated')
    return exchange.fault?.message ?? 'The stream ended without a finish reason and without [DONE].';
  if (outcome === 'empty') return 'The answer had no content.';
  if (exchange.fault) return exchange.fault.message;
  if (answer.fault && exchange.status === 200) return answer.fault.message;
  const body = exchange.body.bytes.toString('utf8');
  return `HTTP ${exchange.status}: ${body.slice(0, 300)}`;
}

function promptTokens(planned: Planned, answer: Answer): TokenCount {
  const asked = planned.askedPrompt.tokens;
  const { usage, timings } = answer;
  if (typeof usage?.prompt_tokens === 'number')
    return { asked, tokens: usage.prompt_tokens, source: 'usage' };
  if (typeof timings?.prompt_n === 'number')
    return { asked, tokens: timings.prompt_n + (timings.cache_n ?? 0), source: 'timings' };
  return { asked, tokens: asked, source: asked === null ? null : planned.askedPrompt.source };
}

/** Null when the server does not tell and no event showed any: it may have reasoned in secret. */
function reasoningTokens({ usage, reasoningEvents }: Answer): RequestRecord['reasoning'] {
  const told = usage?.completion_tokens_details?.reasoning_tokens;
  // Engines that count every token as plain output say 0 while they send reasoning.
  if (typeof told === 'number' && (told > 0 || reasoningEvents === 0))
    return { tokens: told, source: 'usage' };
  return reasoningEvents === 0 ? null : { tokens: reasoningEvents, source: 'events' };
}

function outputTokens(planned: Planned, answer: Answer, events: number): TokenCount {
  const asked = planned.askedOutput;
  const { usage, timings } = answer;
  if (typeof usage?.completion_tokens === 'number')
    return { asked, tokens: usage.completion_tokens, source: 'usage' };
  if (typeof timings?.predicted_n === 'number')
    return { asked, tokens: timings.predicted_n, source: 'timings' };
  if (events > 0) return { asked, tokens: events, source: 'events' };
  return { asked, tokens: null, source: null };
}
