import type { RequestRecord } from '../../domain/run/record.ts';
import type { Throughput } from '../../domain/run/stage-report.ts';
import type { Span } from './window.ts';

/** Times of the token-bearing events of a request; of an answer that was not streamed, its end. */
export function eventTimes(record: RequestRecord): number[] {
  if (record.firstToken === null) return record.outcome === 'ok' ? [record.done] : [];
  let at = record.firstToken;
  return [at, ...record.gaps.map((gap) => (at += gap))];
}

/** Mean tokens that one event carries, over the good requests; null when none was streamed. */
export function tokensPerEvent(records: readonly RequestRecord[]): number | null {
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
export function steadyThroughput(records: readonly RequestRecord[], window: Span): Throughput {
  const mean = tokensPerEvent(records) ?? 1;
  let output = 0;
  let prompt = 0;
  let requests = 0;
  let inputs: number | null = null;
  let outputKnown = true;
  let promptKnown = true;
  // Where answers have something else than tokens, none are not 0 tokens.
  const makesNone = records.some((record) => (record.inputs ?? null) !== null);
  function inside(at: number): boolean {
    return at > window.start && at <= window.end;
  }
  for (const record of records) {
    if (record.outcome !== 'ok' && record.outcome !== 'censored') continue;
    const times = eventTimes(record);
    const each = record.outcome === 'ok' ? (record.output.tokens ?? 0) / Math.max(1, times.length) : mean;
    for (const at of times) if (inside(at)) output += each;
    if (record.outcome === 'ok' && record.output.tokens === null && times.some(inside)) outputKnown = false;
    if (times[0] !== undefined && inside(times[0])) {
      if (record.prompt.tokens === null) promptKnown = false;
      else prompt += record.prompt.tokens;
    }
    if (record.outcome !== 'ok' || !inside(record.done)) continue;
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

/** All good measured requests over the whole span; null when there is none. */
export function overallThroughput(records: readonly RequestRecord[], span: Span): Throughput | null {
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
