import type { RecordRow } from '../../domain/run/record-row.ts';
import type { Throughput } from '../../domain/run/stage-report.ts';
import type { Span } from './window.ts';

/** Tells the times of the token-bearing events of a request; of an answer that was not streamed, its end. */
export function eachEvent(record: RecordRow, tell: (at: number) => void): void {
  const { firstToken } = record;
  if (firstToken === null) {
    if (record.outcome === 'ok') tell(record.done);
    return;
  }
  const { gaps } = record;
  let at = firstToken;
  tell(at);
  for (let i = 0; i < gaps.length; i += 1) tell((at += gaps[i] as number));
}

function isInside(at: number, { start, end }: Span): boolean {
  return at > start && at <= end;
}

/** How many events a request has, and how many of them fall into the window. */
function countEvents(record: RecordRow, window: Span): { all: number; inside: number } {
  const { firstToken, last, events, outcome } = record;
  const all = firstToken === null ? Number(outcome === 'ok') : Math.max(1, events);
  // Nearly all requests of a stage lie wholly in its window.
  const [from, to] = firstToken === null ? [record.done, record.done] : [firstToken, last ?? firstToken];
  if (isInside(from, window) && isInside(to, window)) return { all, inside: all };
  if (to <= window.start || from > window.end) return { all, inside: 0 };
  let inside = 0;
  eachEvent(record, (at) => {
    if (isInside(at, window)) inside += 1;
  });
  return { all, inside };
}

/** Mean tokens that one event carries, over the good requests; null when none was streamed. */
export function tokensPerEvent(records: readonly RecordRow[]): number | null {
  let tokens = 0;
  let events = 0;
  for (const record of records) {
    if (record.outcome !== 'ok' || record.events === 0 || record.output.tokens === null) continue;
    tokens += record.output.tokens;
    events += record.events;
  }
  return events === 0 ? null : tokens / events;
}

/**
 * Token events inside the window over its length, of all requests that were not lost to a fault. A request's tokens
 * are spread evenly over its own events; one that we cut counts with the mean of the others. Prompt tokens count when
 * the first token comes: then the prompt has been read.
 */
export function steadyThroughput(records: readonly RecordRow[], window: Span): Throughput {
  const mean = tokensPerEvent(records) ?? 1;
  let output = 0;
  let prompt = 0;
  let requests = 0;
  let inputs: number | null = null;
  let outputKnown = true;
  let promptKnown = true;
  // Where answers have something else than tokens, none are not 0 tokens.
  const makesNone = records.some((record) => (record.inputs ?? null) !== null);
  for (const record of records) {
    const { outcome, firstToken, done } = record;
    if (outcome !== 'ok' && outcome !== 'censored') continue;
    const { all, inside } = countEvents(record, window);
    const { tokens } = record.output;
    output += inside * (outcome === 'ok' ? (tokens ?? 0) / Math.max(1, all) : mean);
    if (outcome === 'ok' && tokens === null && inside > 0) outputKnown = false;
    if (all > 0 && isInside(firstToken ?? done, window)) {
      if (record.prompt.tokens === null) promptKnown = false;
      else prompt += record.prompt.tokens;
    }
    if (outcome !== 'ok' || !isInside(done, window)) continue;
    requests += 1;
    if ((record.inputs ?? null) !== null) inputs = (inputs ?? 0) + (record.inputs ?? 0);
  }
  return rates({
    span: window,
    requests,
    inputs,
    output: outputKnown && !makesNone ? output : null,
    prompt: promptKnown ? prompt : null,
  });
}

/** Over several windows as over one: what came in all of them, over their length together. */
export function steadyOver(records: readonly RecordRow[], windows: readonly Span[]): Throughput | null {
  const each = windows.map((window) => steadyThroughput(records, window));
  const [first] = each;
  if (!first || each.length === 1) return first ?? null;
  const seconds = each.reduce((sum, one) => sum + one.seconds, 0);
  function mean(rate: (one: Throughput) => number | null | undefined): number | null {
    const sum = sumKnown(each.map((one) => (rate(one) == null ? null : (rate(one) ?? 0) * one.seconds)));
    return sum === null ? null : sum / seconds;
  }
  const inputs = mean((one) => one.inputsPerSecond);
  return {
    seconds,
    requestsPerSecond: mean((one) => one.requestsPerSecond) ?? 0,
    ...(inputs === null ? {} : { inputsPerSecond: inputs }),
    promptTokensPerSecond: mean((one) => one.promptTokensPerSecond),
    outputTokensPerSecond: mean((one) => one.outputTokensPerSecond),
    totalTokensPerSecond: mean((one) => one.totalTokensPerSecond),
  };
}

/** All good measured requests over the whole span; null when there is none. */
export function overallThroughput(records: readonly RecordRow[], span: Span): Throughput | null {
  const good = records.filter((record) => record.phase === 'measured' && record.outcome === 'ok');
  if (good.length === 0) return null;
  const prompts = good.map((record) => record.prompt.tokens);
  const outputs = good.map((record) => record.output.tokens);
  const inputs = sumKnown(good.map((record) => record.inputs ?? null));
  return rates({ span, requests: good.length, inputs, output: sumKnown(outputs), prompt: sumKnown(prompts) });
}

/** Null when one of them is unknown: a sum with a hole is not a sum. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function rates(counted: {
  span: Span;
  requests: number;
  inputs: number | null;
  output: number | null;
  prompt: number | null;
}): Throughput {
  const seconds = (counted.span.end - counted.span.start) / 1e6;
  const { output, prompt } = counted;
  return {
    seconds,
    requestsPerSecond: counted.requests / seconds,
    ...(counted.inputs === null ? {} : { inputsPerSecond: counted.inputs / seconds }),
    promptTokensPerSecond: prompt === null ? null : prompt / seconds,
    outputTokensPerSecond: output === null ? null : output / seconds,
    totalTokensPerSecond: output === null || prompt === null ? null : (output + prompt) / seconds,
  };
}
