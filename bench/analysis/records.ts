import { existsSync, mkdirSync } from 'node:fs';
import { definitions } from '../../src/bench/run/definitions.ts';
import { makeSpec } from '../../src/bench/run/make-spec.ts';
import { createRecordWriter } from '../../src/bench/report/record-file.ts';
import { columnsPath } from '../../src/bench/records/column-file.ts';
import { writeRunFile } from '../../src/bench/run/run-benchmark.ts';
import type { RequestRecord } from '../../src/domain/run/record.ts';
import { RunFile } from '../../src/domain/run/report.ts';
import { runSchema } from '../../src/domain/run/schema-version.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { describeMachine } from '../../src/io/machine.ts';
import { seededRandom } from '../../src/stats/random.ts';
import type { Random } from '../../src/stats/random.ts';

const streams = 500;
const chunks = 32;
const batch = 4096;

/** Writes a run that was ended before its report: requests of 32 chunks, ITL about 20 ms with pauses, every 500th failed. */
export async function writeRun(folder: string, requests: number): Promise<string> {
  const path = columnsPath(folder);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const world = localWorld();
  await writeRunFile(world, folder, runFile(requests));
  const writer = createRecordWriter(world.files, folder, 'columns');
  const random = seededRandom(1);
  const free = new Float64Array(streams);
  for (let id = 0; id < requests; id += 1) {
    const record = recordOf(id, free, random);
    writer.push(record);
    if (id % batch === batch - 1) await writer.flush();
  }
  await writer.flush();
  await writer.close();
  return path;
}

function runFile(requests: number): RunFile {
  const target = { url: 'http://127.0.0.1:1', api: 'chat', model: 'm', key: null } as const;
  const none = { tokenizer: null, metrics: null, gpuMetrics: null, deployment: null, engine: null };
  const profile = { kind: 'concurrent', streams: [streams] } as const;
  return RunFile.parse({
    schema: runSchema,
    id: 'large',
    startedAt: new Date().toISOString(),
    spec: makeSpec('large', { profile, requests }, { ...target, ...none }),
    environment: { berth: 'none', ...describeMachine() },
    definitions,
  });
}

function recordOf(id: number, free: Float64Array, random: Random): RequestRecord {
  const stream = id % streams;
  const scheduled = free[stream] as number;
  const sent = scheduled + 40 + random.below(40);
  const firstToken = sent + 60_000 + random.below(40_000);
  const gaps = Array.from({ length: chunks - 1 }, () =>
    random.below(200) === 0 ? 100_000 + random.below(400_000) : 15_000 + random.below(10_000),
  );
  const last = firstToken + gaps.reduce((sum, gap) => sum + gap, 0);
  free[stream] = last + 100;
  const failed = id % 500 === 499;
  return {
    schema: runSchema,
    id,
    stage: 0,
    phase: id < streams ? 'warmup' : 'measured',
    stream,
    scheduled,
    started: scheduled + 10,
    connected: scheduled + 12,
    sent,
    headers: firstToken - 100,
    firstByte: firstToken - 100,
    firstToken: failed ? null : firstToken,
    firstContent: failed ? null : firstToken,
    last: failed ? null : last,
    done: last + 90,
    gaps: failed ? [] : gaps,
    events: failed ? 0 : chunks,
    status: failed ? 500 : 200,
    responseId: `chatcmpl-${id.toString(16).padStart(24, '0')}`,
    outcome: failed ? 'server-error' : 'ok',
    error: failed ? 'HTTP 500: the server was busy' : null,
    finish: failed ? null : 'length',
    prompt: { asked: 256, tokens: 256, source: 'usage' },
    output: { asked: chunks, tokens: failed ? null : chunks, source: failed ? null : 'usage' },
    cached: 0,
    server: null,
    text: null,
  };
}
