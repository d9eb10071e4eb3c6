import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { EngineFacts } from '../../domain/run/engine-facts.ts';
import type { Calibration, ServerFacts } from '../../domain/run/report.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { World } from '../../io/world.ts';
import { calibrate } from './calibrate.ts';
import type { PromptSource } from '../contract.ts';
import { datasets } from '../datasets/registry.ts';
import { groupedPrompts } from './grouped-prompts.ts';
import type { Spent } from './guards.ts';
import { spentOn } from '../analyse/spent.ts';
import { preflight } from '../run/preflight.ts';
import type { Preflight } from '../run/preflight.ts';
import { startServerWatch } from '../server/server-watch.ts';
import { createRecordWriter, formOf, readRows } from '../report/record-file.ts';
import type { Running } from '../run/measure-stage.ts';
import { promptsOf } from './shards.ts';
import { endpointOf } from '../run/run-endpoint.ts';
import type { RunEndpoint } from '../run/run-endpoint.ts';
import { openOf } from '../registry-entry.ts';
import { runStages } from '../run/run-stages.ts';
import { monotonicMicroseconds } from '../../io/clock.ts';
import type { WatchJob } from '../server/watch-protocol.ts';
import type { WorkerEnd, WorkerJob } from './worker-protocol.ts';

export interface WorkerPorts {
  readonly emit: (message: RunProgress) => void;
  readonly signal: AbortSignal;
  /** The key of the server, already resolved; null when there is none. */
  readonly key: string | null;
  /** That of the engine behind it. */
  readonly engineKey: string | null;
}

/** Runs all stages of a job and gives what the report needs beside the stages' files. Never rejects. */
export async function runWorker(world: World, job: WorkerJob, ports: WorkerPorts): Promise<WorkerEnd> {
  const end: WorkerEnd = {
    type: 'worker-ended',
    interrupted: false,
    unfinished: true,
    originAt: null,
    server: null,
    calibration: null,
    error: null,
  };
  try {
    const { spec } = job;
    const ready = await preflight(world, spec, ports);
    const opened = await openOf(datasets, spec.data)(ready.prompts, spec.seed, spec.cache);
    const endpoint = endpointOf(spec);
    refuseOtherUse(opened, endpoint, spec);
    const asked = endpoint.generates ? opened : groupedPrompts(opened, endpoint.texts, endpoint);
    const source = promptsOf(asked, spec.shard);
    const writer = createRecordWriter(world.files, job.folder, formOf(spec));
    const origin = monotonicMicroseconds() - (job.resume?.clock ?? 0);
    await using watch = await startServerWatch(world, job.folder, watchJob(spec, ports.engineKey, origin));
    const server = serverFacts(spec, ready, source, await watch.facts());
    end.server = server;
    ports.emit({ type: 'server', server });
    end.originAt = new Date(
      world.clock.wall().getTime() - (monotonicMicroseconds() - origin) / 1000,
    ).toISOString();
    server.notes.push(...(await barrier(world, spec, ports.signal)));
    const running: Running = {
      ...ports,
      world,
      job,
      ready,
      source,
      writer,
      watch,
      spent: await spentBefore(world, job),
      now: () => monotonicMicroseconds() - origin,
    };
    const { most, complete } = await runStages(running).finally(writer.close);
    end.unfinished = !complete;
    const model = server.engine?.model;
    if (model) model.sha256 = await watch.hashModel(ports.signal);
    end.calibration = await floorOf(running, most);
  } catch (error) {
    // What an interrupt breaks off is no fault of its own.
    if (!ports.signal.aborted) end.error = describe(error);
  }
  return { ...end, interrupted: ports.signal.aborted };
}

/** A file of texts to embed is no load for a chat: half of what each row says would be left out without a word. */
function refuseOtherUse({ uses }: PromptSource, { kind, takes }: RunEndpoint, { data }: RunSpec): void {
  const other = uses?.find((use) => !takes.includes(use));
  if (other === undefined) return;
  const what = {
    prompt: 'prompts',
    images: 'images',
    inputs: 'texts to embed',
    ranking: 'documents to rank',
  }[other];
  const file = data['file'];
  const [whose, cure] =
    typeof file === 'string'
      ? [file, 'say another --endpoint, or which --columns hold prompts']
      : ['The data', 'say another --endpoint'];
  throw new BerthError('USAGE', {
    detail: `${whose} has ${what}, which ${kind} does not take: ${cure}.`,
    command: 'bench',
  });
}

/** Shards begin together, as far as the clocks of their machines agree; gives what a reader must know of it. */
async function barrier(world: World, { shard }: RunSpec, signal: AbortSignal): Promise<string[]> {
  if (!shard?.startAt) return [];
  const wait = Date.parse(shard.startAt) - world.clock.wall().getTime();
  if (wait < 0) return [`This shard was ready ${Math.round(-wait)} ms after its time to start.`];
  await world.clock.sleep(wait, signal).catch(() => {});
  return [];
}

/** A budget is that of the whole run, with what was sent before it was broken off. */
async function spentBefore({ files }: World, { folder, resume }: WorkerJob): Promise<Spent> {
  if (resume === null) return { promptTokens: 0, outputTokens: 0 };
  const records = await readRows(files, folder);
  return spentOn(records);
}

async function floorOf(running: Running, streams: number): Promise<Calibration | null> {
  if (!running.job.spec.calibrate || running.signal.aborted) return null;
  const calibration = await calibrate(running.world, Math.min(streams, 256), running.signal);
  if (calibration) running.emit({ type: 'calibrated', calibration });
  return calibration;
}

/** The engine itself is watched, where it is known to be behind the door that is measured. */
function watchJob({ target }: RunSpec, key: string | null, origin: number): Omit<WatchJob, 'periodMs'> {
  return { origin, engine: target.metrics ?? target.url, gpuMetrics: target.gpuMetrics, key };
}

function serverFacts(
  spec: RunSpec,
  ready: Preflight,
  source: PromptSource,
  engine: EngineFacts | null,
): ServerFacts {
  const notes = [...source.notes];
  if (spec.ignoreEos && !ready.extras.ignoreEos)
    notes.push('The server refuses ignore_eos: answers may be shorter than asked.');
  if (spec.cache === 'cold' && !ready.extras.cachePrompt)
    notes.push('The server refuses cache_prompt: only unique prompts keep its prefix cache cold.');
  return {
    model: ready.model,
    server: ready.server,
    tokenizer: ready.prompts.tokenizer,
    templateTokens: source.templateTokens,
    engine,
    notes,
  };
}

function describe(error: unknown): WorkerEnd['error'] {
  if (error instanceof BerthError) return { code: error.code, facts: error.facts, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'UNEXPECTED', facts: {}, message };
}
