import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import { worldOfHost } from '../../fleet/file/hosts.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { applyObject } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { followJob } from '../../kube/follow-job.ts';
import type { JobEnd } from '../../kube/follow-job.ts';
import { benchmarkRun } from '../../render/benchmark-objects.ts';
import type { CliContext } from '../context.ts';
import type { FileOptions } from '../fleet-file.ts';
import { renderedBenchmark } from '../rendered-benchmarks.ts';

/** A run whose client was a pod: the run itself is where its benchmark keeps results, and with its publishers. */
export interface ClusterRun extends JobEnd {
  readonly benchmark: string;
  readonly namespace: string;
  readonly job: string;
}

/**
 * Starts the Job of a benchmark now, follows what its client says to the end, and ends as it did. Ctrl-C leaves the Job to go on.
 * Throws BENCH_NOT_WRITTEN, and what the cluster refuses.
 */
export async function benchInCluster(
  context: CliContext,
  loaded: LoadedFleet,
  name: string,
  { file }: FileOptions,
): Promise<ClusterRun> {
  const { world, output, cwd, signal } = context;
  const how = { files: file, cwd, image: undefined };
  const benchmark = await renderedBenchmark(world, loaded, name, how);
  const there = await worldOfHost(world, loaded.hosts, loaded.benchmarks[name]?.runsOn ?? '');
  const place = await placeOf(there);
  const { namespace } = place;
  const run = world.clock
    .wall()
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, '')
    .toLowerCase();
  const { job, config } = benchmarkRun({ fleet: loaded.fleet, namespace }, benchmark, run);
  const made = await applyObject(place, job);
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: made.metadata.uid };
  // It goes with the Job; the pod waits until it is there.
  await applyObject(place, { ...config, metadata: { ...config.metadata, ownerReferences: [owner] } });
  output.progress(`Job ${job.metadata.name} in namespace ${namespace}`);
  const end = await followJob(
    world.clock,
    place,
    { job: job.metadata.name, container: 'bench', signal },
    { line: output.progress, waits: (reason) => output.progress(`waits: ${reason}`) },
  );
  if (end) return { benchmark: name, namespace, job: job.metadata.name, ...end };
  if (signal.aborted) output.progress(`It goes on: kubectl -n ${namespace} logs -f job/${job.metadata.name}`);
  else throw new BerthError('BENCH_JOB_GONE', { name, job: job.metadata.name });
  return {
    benchmark: name,
    namespace,
    job: job.metadata.name,
    complete: false,
    exitCode: null,
    reason: null,
  };
}

/** One line for each, and the exit code of the first that did not end well. */
export function endOfCluster(context: CliContext, runs: readonly ClusterRun[]): void {
  context.output.result({ jobs: runs }, () =>
    runs
      .map(({ benchmark, job, complete, exitCode, reason }) =>
        complete
          ? `${benchmark}: job ${job} is complete`
          : `${benchmark}: job ${job} ended with exit code ${exitCode ?? 'unknown'}${reason === null ? '' : ` (${reason})`}`,
      )
      .join('\n'),
  );
  const bad = runs.find(({ complete }) => !complete);
  if (context.signal.aborted) context.exit(exitCodes.interrupted);
  else if (bad) context.exit(knownCode(bad.exitCode));
}

/** What its client ended with, where that is one of ours. */
function knownCode(code: number | null): ExitCode {
  return Object.values(exitCodes).find((known) => known === code && known !== 0) ?? exitCodes.fault;
}
