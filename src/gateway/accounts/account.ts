import type { Attempt, AttemptEnd } from '../upstream/attempt.ts';
import type { Call } from '../front/call.ts';
import { estimatedPrompt } from '../limits/estimate.ts';
import { findUsage } from '../reply/usage.ts';
import type { Usage } from '../reply/usage.ts';

/**
 * Counts times and tokens of an attempt that has ended. Tokens are the engine's own figures; a stream that broke off
 * mostly has none: its events are counted instead and its prompt is guessed, marked as estimates.
 */
export function account(call: Call, attempt: Attempt, end: AttemptEnd): void {
  if (end.kind === 'retry' || end.kind === 'lost' || end.kind === 'failed') return;
  const good = end.kind === 'done' && end.status < 400;
  // Refused by the engine: a request, but no tokens.
  call.spent = { input: 0, output: 0 };
  if (end.kind === 'done' && !good) return;
  if (attempt.firstAt === null) {
    if ((call.gone || call.trail.cancelled) && attempt.taken) chargePrompt(call, attempt);
    return;
  }
  const { series } = call;
  // A stream that broke off has told of its tokens only where the engine does so in every event.
  const tells = good || call.endpoint.usageInStream;
  const usage = tells ? findUsage(attempt.tail.text()) : null;
  const told = usage && (usage.input !== null || usage.output !== null);
  call.spent = told
    ? { input: usage.input ?? 0, output: usage.output ?? 0 }
    : { input: null, output: attempt.eventStream ? attempt.pieces : null };
  if (good && attempt.eventStream) observeStream(call, attempt, usage?.output ?? null);
  note(call, attempt, usage);
  if (usage) {
    if (usage.input !== null) {
      series.tokens('input', 'engine').value += usage.input;
      series.inputTokens.observe(usage.input);
    }
    if (usage.output !== null) {
      series.tokens('output', 'engine').value += usage.output;
      series.outputTokens.observe(usage.output);
    }
  } else if (attempt.eventStream) {
    series.tokens('input', 'estimate').value += attempt.promptTokens;
    series.tokens('output', 'estimate').value += attempt.pieces;
  }
}

/** Its client has left, or it was ended here, and the engine has read the prompt, or was about to: as much as was reserved for it. */
function chargePrompt(call: Call, attempt: Attempt): void {
  const { body, countedAs, series, trail } = call;
  call.spent = { input: null, output: 0 };
  const tokens = body ? estimatedPrompt(countedAs, body.bytes) : attempt.promptTokens;
  series.tokens('input', 'estimate').value += tokens;
  trail.inputTokens = tokens;
  trail.outputTokens = 0;
  trail.tokenSource = 'estimate';
}

function note({ trail }: Call, attempt: Attempt, usage: Usage | null): void {
  if (usage) {
    trail.inputTokens = usage.input;
    trail.outputTokens = usage.output;
    trail.tokenSource = 'engine';
  } else if (attempt.eventStream) {
    trail.inputTokens = attempt.promptTokens;
    trail.outputTokens = attempt.pieces;
    trail.tokenSource = 'estimate';
  }
}

function observeStream(call: Call, attempt: Attempt, tokens: number | null): void {
  const first = attempt.firstAt ?? 0;
  const seconds = (first - call.startedAt) / 1000;
  call.series.firstToken.observe(seconds);
  call.series.genAiFirstToken.observe(seconds);
  if (call.trial) call.trial.ttft = seconds;
  if (tokens === null || tokens < 2) return;
  const perToken = (attempt.lastAt - first) / 1000 / (tokens - 1);
  call.series.perToken.observe(perToken);
  call.series.genAiPerToken.observe(perToken);
  if (call.trial) call.trial.tpot = perToken;
}
