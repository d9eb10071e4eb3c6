import type { Weighted } from '../../stats/weighted-summary.ts';
import { distribution, statuses } from './distribution.ts';
import type { Status } from './distribution.ts';
import { figuresOf } from './request-figures.ts';
import type { RequestFigures } from './request-figures.ts';
import type { TimedRequest } from './requests.ts';

type Layout = '2' | '0.3';
type Breakdown = Readonly<Record<Status, unknown>>;

/** Something of a request that has a distribution; undefined: the request adds nothing to it. */
type Value = (request: TimedRequest, figures: RequestFigures) => Weighted | undefined;

/** The distributions that both layouts have, under GuideLLM's names and in its units. */
export function metricsOf(
  requests: readonly TimedRequest[],
  span: { start: number; end: number },
  layout: Layout,
): Record<string, Breakdown> {
  const { values, rate } = makers(requests, span, layout);
  return {
    requests_per_second: rate(({ end }) => [[end, 1]]),
    request_concurrency: byStatus(requests, (group) =>
      distribution(busyTimes(group, span), { layout, count: group.length }),
    ),
    request_latency: values((_, { latency }) => [latency, 1]),
    prompt_token_count: values(({ promptTokens }) => one(promptTokens)),
    output_token_count: values(({ outputTokens }) => one(outputTokens)),
    time_to_first_token_ms: values((_, { ttft }) => one(ttft)),
    time_per_output_token_ms: values(({ outputTokens }, figures) => {
      const tpot = layout === '2' ? figures.tpot : figures.tpot03;
      return tpot === undefined ? undefined : [tpot, outputTokens ?? 1];
    }),
    inter_token_latency_ms: values(({ outputTokens }, { itl }) =>
      itl === undefined ? undefined : [itl, (outputTokens ?? 2) - 1],
    ),
    output_tokens_per_second: rate(outputEvents),
    tokens_per_second: rate((request) => [...promptEvents(request), ...outputEvents(request)]),
    ...(layout === '2' ? newMetrics({ values, rate }) : {}),
  };
}

/** What the second layout has beyond that. */
function newMetrics({ values, rate }: Makers): Record<string, Breakdown> {
  return {
    request_streaming_iterations_count: values(({ record }) => [record.events, 1]),
    total_token_count: values(({ promptTokens, outputTokens }) =>
      promptTokens === null || outputTokens === null ? undefined : [promptTokens + outputTokens, 1],
    ),
    time_to_first_output_token_ms: values(({ record, start, first }) =>
      record.firstContent === null || record.firstToken === null || first === null
        ? undefined
        : [(first - start) * 1000 + (record.firstContent - record.firstToken) / 1000, 1],
    ),
    prompt_tokens_per_second: rate(promptEvents),
    // Of conversations over a socket; berth has none, and 0.8 does not load a file without them.
    time_to_last_round_trip_ms: values(() => undefined),
    avg_round_trip_time_ms: values(() => undefined),
    output_tokens_per_iteration: values(perEvent),
    iter_tokens_per_iteration: values(perEvent),
  };
}

interface Makers {
  readonly values: (value: Value) => Breakdown;
  readonly rate: (events: Events) => Breakdown;
}

/** Tokens, or requests, with the times at which they came. */
type Events = (request: TimedRequest) => readonly (readonly [at: number, count: number])[];

function makers(
  requests: readonly TimedRequest[],
  span: { start: number; end: number },
  layout: Layout,
): Makers {
  function values(value: Value): Breakdown {
    return byStatus(requests, (group) =>
      distribution(
        group.flatMap((request) => {
          const found = value(request, figuresOf(request));
          return found ? [found] : [];
        }),
        // The older layout counts requests even where tokens are the weights.
        layout === '2'
          ? { layout }
          : { layout, count: group.filter((request) => value(request, figuresOf(request))).length },
      ),
    );
  }
  function rate(tokens: Events) {
    return byStatus(requests, (group) =>
      rateOf(group.flatMap(tokens), span, { layout, count: group.length }),
    );
  }
  return { values, rate };
}

function one(value: number | null | undefined): Weighted | undefined {
  return value === null || value === undefined ? undefined : [value, 1];
}

function perEvent({ record, outputTokens }: TimedRequest): Weighted | undefined {
  return record.events === 0 || outputTokens === null ? undefined : [outputTokens / record.events, 1];
}

function byStatus(
  requests: readonly TimedRequest[],
  of: (group: readonly TimedRequest[]) => unknown,
): Breakdown {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      of(status === 'total' ? requests : requests.filter((request) => request.status === status)),
    ]),
  ) as Breakdown;
}

function promptEvents({ promptTokens, first, end }: TimedRequest): [number, number][] {
  return promptTokens === null ? [] : [[first ?? end, promptTokens]];
}

/** Output tokens at the times of their events, of which each carries as many as any other. */
function outputEvents({ record, first, end, outputTokens }: TimedRequest): [number, number][] {
  if (!outputTokens) return [];
  if (first === null || record.events === 0) return [[end, outputTokens]];
  let at = first;
  const share = outputTokens / record.events;
  return [[at, share], ...record.gaps.map((gap): [number, number] => [(at += gap / 1e6), share])];
}

/**
 * A rate: its mean is the sum over the whole span, its spread that of whole seconds. (GuideLLM's own spread is that of the
 * gaps between events; nothing can be read from it.)
 */
function rateOf(
  events: readonly (readonly [at: number, count: number])[],
  span: { start: number; end: number },
  options: { layout: Layout; count: number },
): unknown {
  const seconds = span.end - span.start;
  if (events.length === 0 || seconds <= 0) return distribution([], options);
  const slices = Math.max(1, Math.round(seconds));
  const counts = new Float64Array(slices);
  for (const [at, count] of events) {
    const slice = Math.min(slices - 1, Math.max(0, Math.floor(((at - span.start) / seconds) * slices)));
    counts[slice] = (counts[slice] as number) + count;
  }
  return distribution(
    Array.from(counts, (count): Weighted => [(count * slices) / seconds, 1]),
    options,
  );
}

/** For how long how many requests were in flight. */
function busyTimes(group: readonly TimedRequest[], span: { start: number; end: number }): Weighted[] {
  if (group.length === 0) return [];
  const changes = group.flatMap(({ start, end }): [number, number][] => [
    [start, 1],
    [end, -1],
  ]);
  changes.sort(([a], [b]) => a - b);
  const times: Weighted[] = [];
  let busy = 0;
  let since = span.start;
  for (const [at, change] of changes) {
    times.push([busy, at - since]);
    busy += change;
    since = at;
  }
  times.push([busy, span.end - since]);
  return times;
}
