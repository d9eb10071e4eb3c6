import { percentileMethod } from '../../stats/percentile.ts';

/** What each figure means; every run keeps these texts, so that a file explains itself. */
export const definitions: Readonly<Record<string, string>> = {
  clock:
    'One monotonic clock of the load generator, µs from the start of the run. Requests are stamped when they are due (scheduled), when their last byte has been written (sent) and at every read of the answer.',
  ttft: 'Time to first token: from the last byte of the request written to the first event with non-empty content, reasoning or tool call. An event with a role alone is none. Without streaming there is no TTFT.',
  ttftScheduled: 'The same from the moment at which the request was due.',
  ttfot:
    'Time to first output token: from the last byte of the request written to the first event with non-empty content, behind any reasoning. Without reasoning it is the TTFT; an answer of tool calls alone has none.',
  ttfotScheduled: 'The same from the moment at which the request was due.',
  reasoning:
    "Reasoning tokens are output tokens, told apart by the server's usage, else counted as events that carried reasoning and no content; the source stands beside them. They count in TTFT, ITL, TPOT and all rates.",
  itl: 'Inter-token latency: every gap between consecutive token-bearing events of a request, all requests pooled. A gap is never divided by the tokens of its event; tokensPerEvent says how many there are.',
  itlMeanPerRequest:
    '(last event − first event) / (events − 1) of each request. Its percentiles hide stalls; some tools publish them as ITL.',
  tpot: 'Time per output token of each request: (last event − first event) / (output tokens − 1). None where the server counts fewer tokens than it sent events with some: that count cannot be true.',
  e2e: 'From the last byte of the request written to the last token-bearing event; without streaming, to the end of the answer.',
  endpoint:
    'The API that is asked. Embeddings and rerank make no tokens: they have no TTFT, ITL, TPOT and output tokens, and their E2E runs to the end of the answer.',
  inputs:
    'Texts that got an embedding, or documents that were ranked; an answer that leaves some out is truncated. Inputs/s are those of answers that ended in the window.',
  steady:
    'Steady throughput: tokens whose events fell into the window, over its length. The window runs from the first measured request, while all streams are busy, to the time limit or until the first stream has nothing left to send. Tokens of a request are spread evenly over its events; prompt tokens count at the first token. Of a stage that was broken off and gone on with, over the windows of all its parts.',
  settled:
    'The steady part of the window: what is left after its start-up, which is found by MSER-5 (White 1997) on the rate of token events in 250 equal parts of the window; how much was cut is told. Not found when more than half would be cut.',
  overall: 'Tokens of good measured requests over the time from the first one sent to the last one done.',
  warmup:
    'A request belongs to the phase in which it was admitted. Streams pass from warm-up to the measured phase one by one, without a pause, and from a stage of so many streams to the next in the same way: what is in flight then belongs to the stage that sent it.',
  censored:
    'Requests in flight at the limit may finish within the drain time; what is cut then is censored: counted, and part of the load, but without a latency.',
  tokens:
    "Output tokens from the server's usage, else from its timings, else the number of events; the source stands in each record. Prompt tokens are the server's own count, with the chat template.",
  percentiles: `${percentileMethod}; p99 is marked when there are fewer than 100 values.`,
  intervals:
    '95 % intervals by circular block bootstrap in time order (block: twice the streams, at least 50 where there are enough values), since requests of one run share queue and batch. None with fewer than ten blocks. Of more than 100,000 values at most 128 blocks are drawn, each as a histogram whose bins are a 256th of their value wide.',
  scaling:
    'Speed-up: output tokens per second over those of one stream. Efficiency: speed-up / streams. Wall times of unequal answers are never compared.',
  consistency: 'Counted output rate over the one that streams × mean output tokens / mean E2E implies.',
  goodput:
    'Share of the measured requests that kept every objective (TTFT, TPOT, E2E of that request). A failed request kept none; one that was cut at the end of the drain is left out.',
  openLoop:
    'In an open loop requests start by a schedule that is drawn before the stage; latencies from the moment a request was due come first, since a clock that starts at sending does not see how long a slow server made it wait. A start that finds the most allowed requests in flight is dropped and counted.',
  steadiness:
    'Requests in flight on average and the median E2E from the schedule, of the first and of the last third of the measured time. Not steady: the E2E grew by more than a quarter and the requests in flight by more than half and one (of a closed loop, the E2E to more than twice).',
  conversations:
    'Conversations are a closed loop each: a turn is due when its user has thought since the end of the answer before it, so a server that is slow is asked less by those who talk to it already. Every turn is sent with all that was said before, the real answers among it. A conversation whose turn fails ends there. A turn belongs to the phase in which it comes due; the seconds that users think are part of the load, and the window goes on while they do.',
  knee: 'Of a sweep: the highest load that kept the objectives, failed at most 1 % and was steady, with no lower load that did not.',
  clientLimited:
    "The load generator may have made the figures: lag p99 over max(5 ms, 5 % of the median TTFT) and more than one request late, event loop delay p99 over max(10 ms, the same), more than 80 % of a core used, or starts at less than 98 % of the rate at which they were due. Lag is the time from due to started plus the time from connected to sent; connecting itself is left out, for that is the server's and the network's part.",
  calibration:
    "The client's own error: from the moment at which a server with a known schedule wrote an event to the client's stamp. It is subtracted from nothing.",
  server:
    "What was seen of the server, once a second and at both ends of each stage, by a process of its own on the run's clock: gauges over the steady window, totals over the whole stage, warm-up included. What it does not tell is unknown, never 0. Energy is that of the processor packages and GPUs that could be read, with all that ran on them; by the drivers' own counters, else power over time.",
  engine:
    "How far the engine's own counters moved over the stage, warm-up included, beside the sums of all records. Of stages that pass their slots on, over all of them: it stands at the last.",
};
