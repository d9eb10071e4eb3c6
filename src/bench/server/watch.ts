import { resolve } from 'node:path/posix';
import { redact } from '../../domain/command-line/redact.ts';
import type { EngineFacts } from '../../domain/run/engine-facts.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { GpuSample, ServerSample } from '../../domain/run/server-sample.ts';
import { detectHardware } from '../../hardware/detect.ts';
import { parseDcgm } from '../../hardware/gpu-load.ts';
import { createEnergyReader } from '../../hardware/package-energy.ts';
import { monotonicMicroseconds } from '../../io/clock.ts';
import { hashFile } from '../../io/hash-file.ts';
import type { World } from '../../io/world.ts';
import { requestHeaders } from '../request-body.ts';
import { toldFacts } from './engine-facts.ts';
import { engineSample } from '../../stats/engine-sample.ts';
import { findEngine } from './find-process.ts';
import type { EngineProcess } from './find-process.ts';
import { watchGpus } from './watch-gpus.ts';
import { createUsageReader } from './watch-usage.ts';
import type { WatchJob } from './watch-protocol.ts';

/** The server's side of a run, seen from a process of its own so that looking does not hold up the sending. */
export interface Watcher {
  readonly facts: () => Promise<EngineFacts>;
  /** Null: there is nothing to be seen of this server. */
  readonly sample: () => Promise<ServerSample | null>;
  readonly hashModel: () => Promise<string | null>;
}

interface Watching {
  readonly world: World;
  readonly job: WatchJob;
  readonly local: boolean;
  readonly process: EngineProcess | null;
}

export function createWatcher(world: World, job: WatchJob, signal: AbortSignal): Watcher {
  const watching: Watching = { world, job, ...findEngine(world.proc, job.engine) };
  const usage = watching.process && createUsageReader(world.proc, watching.process.pid);
  const energy = watching.local ? createEnergyReader(world.files, '/sys') : null;
  const gpus = watching.local && job.gpuMetrics === null ? watchGpus(world, job.periodMs, signal) : null;
  let modelFile: string | null = null;
  return {
    facts: async () => {
      const facts = await factsOf(watching);
      modelFile = facts.model && fileOf(watching, facts.model.path);
      return facts;
    },
    sample: async () => {
      const [metrics, dcgm, cpuJoules] = await Promise.all([
        ask(watching, '/metrics'),
        job.gpuMetrics === null ? null : askUrl(world, job.gpuMetrics, null),
        energy?.() ?? null,
      ]);
      const sample = {
        schema: runSchema,
        at: monotonicMicroseconds() - job.origin,
        engine: metrics === null ? null : engineSample(metrics),
        gpus: dcgm === null ? [...((await gpus?.()) ?? ([] as GpuSample[]))] : parseDcgm(dcgm),
        process: usage?.() ?? null,
        cpuJoules,
      } as const;
      const seen = sample.engine || sample.gpus.length > 0 || sample.process || cpuJoules !== null;
      return seen ? sample : null;
    },
    hashModel: async () => (modelFile === null ? null : hashFile(modelFile, signal)),
  };
}

async function factsOf(watching: Watching): Promise<EngineFacts> {
  const [props, version, models, metrics] = await Promise.all(
    ['/props', '/version', '/v1/models', '/metrics'].map((path) => ask(watching, path)),
  );
  const answers = {
    props: props ?? null,
    version: version ?? null,
    models: models ?? null,
    metrics: metrics ?? null,
  };
  const { modelPath, ...told } = toldFacts(answers) ?? nothingTold;
  const { world, local, process } = watching;
  return {
    ...told,
    model: modelPath === null ? null : await modelOf(watching, modelPath),
    argv: process === null ? null : redact(process.argv),
    hardware: local ? await detectHardware(world) : null,
    notes: [
      ...(told.kind === null ? ['The server does not say which engine it is.'] : []),
      ...(metrics === undefined || metrics === null
        ? ['The server has no /metrics (llama-server wants --metrics), so its own side is not known.']
        : []),
      ...(local
        ? []
        : ['The server runs on another machine: its processor, memory and GPUs were not watched.']),
    ],
  };
}

const nothingTold = {
  kind: null,
  version: null,
  context: null,
  slots: null,
  settings: {},
  modelPath: null,
} as const;

async function modelOf(watching: Watching, path: string): Promise<EngineFacts['model']> {
  const file = fileOf(watching, path);
  const found = file === null ? null : await watching.world.files.stat(file).catch(() => null);
  return { path, bytes: found?.isFile ? found.size : null, sha256: null };
}

/** As the engine itself sees it, wherever its root is; null on another machine. */
function fileOf({ world, local, process }: Watching, path: string): string | null {
  if (process) return `${world.proc}/${process.pid}/root${resolve(process.cwd ?? '/', path)}`;
  return local && path.startsWith('/') ? path : null;
}

function ask({ world, job }: Watching, path: string): Promise<string | null> {
  return askUrl(world, `${job.engine}${path}`, job.key);
}

/** Null: it does not tell. */
async function askUrl(world: World, url: string, key: string | null): Promise<string | null> {
  try {
    const reply = await world.http.request(url, { headers: requestHeaders(key), timeoutMs: 5000 });
    return reply.status === 200 ? reply.text : null;
  } catch {
    return null;
  }
}
