import { monotonicMicroseconds } from '../../io/clock.ts';
import { createTimedClient } from '../../io/timed-request.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { PromptSource } from '../contract.ts';
import { allExtras, requestBody, requestHeaders } from '../request-body.ts';
import { endpointOf } from '../run/run-endpoint.ts';
import { runStage } from '../run/run-stage.ts';
import type { SelftestCase } from './selftest-cases.ts';
import { newStageState } from '../load/stage-state.ts';

/** What a case gave; times of records count from `origin`, µs of the machine's monotonic clock. */
export interface CaseRun {
  readonly records: RequestRecord[];
  readonly origin: number;
}

/** Sends the requests of one case by the loop and the client that every run uses. */
export async function runCase(url: string, each: SelftestCase): Promise<CaseRun> {
  const origin = monotonicMicroseconds();
  function now(): number {
    return monotonicMicroseconds() - origin;
  }
  const spec = specOf(url, each);
  const client = createTimedClient(url, now);
  const records: RequestRecord[] = [];
  const source: PromptSource = {
    at: (id) => ({
      content: `Tell ${id}`,
      promptTokens: { tokens: null, source: null },
      outputTokens: each.expect.outputTokens,
    }),
    ...(each.load?.timed && { timed: each.load.timed }),
    templateTokens: null,
    notes: [],
  };
  await runStage(
    {
      index: 0,
      strategy: each.load?.strategy ?? { kind: 'closed', streams: each.streams },
      spec,
      source,
      firstId: 0,
    },
    {
      client,
      now,
      request: (prompt) => ({
        path: endpointOf(spec).path,
        headers: requestHeaders(null),
        body: requestBody(spec, JSON.stringify(each.truth), prompt, allExtras),
      }),
      onRecord: (record) => records.push(record),
      signal: new AbortController().signal,
    },
    newStageState(now()),
  );
  client.close();
  return { records, origin };
}

function specOf(url: string, each: SelftestCase): RunSpec {
  return {
    schema: runSchema,
    name: 'selftest',
    target: {
      url,
      api: 'chat',
      model: null,
      key: null,
      tokenizer: null,
      metrics: null,
      gpuMetrics: null,
      deployment: null,
      engine: null,
    },
    profile: { kind: 'concurrent', streams: [each.streams] },
    data: { kind: 'synthetic' },
    limits: {
      seconds: each.load?.seconds ?? null,
      requests: each.load?.seconds ? null : each.requests,
      errors: null,
      errorRate: null,
    },
    slo: null,
    thresholds: [],
    warmup: each.load?.warmup ?? { kind: 'none' },
    drainSeconds: each.load?.drainSeconds ?? 60,
    timeoutSeconds: each.timeoutMs / 1000,
    stream: each.stream,
    temperature: null,
    ignoreEos: false,
    cache: 'cold',
    seed: 1,
    keepOutputs: true,
    calibrate: false,
  };
}
