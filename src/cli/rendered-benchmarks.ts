import { BerthError } from '../domain/errors/berth-error.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { benchFile } from '../fleet/gateway/bench-file.ts';
import type { World } from '../io/world.ts';
import type { RenderedBenchmark } from '../render/contract.ts';

/** Whether the client of a benchmark runs in a cluster. */
export function runsInCluster({ benchmarks, hosts }: LoadedFleet, name: string): boolean {
  const host = benchmarks[name]?.runsOn;
  return host !== undefined && hosts[host]?.kubernetes !== undefined;
}

/** A benchmark as it is written down. Throws BENCH_NOT_WRITTEN where a client in a cluster could not work. */
export async function renderedBenchmark(
  world: World,
  loaded: LoadedFleet,
  name: string,
  { files, cwd, image: usual }: { files: readonly string[]; cwd: string; image: string | undefined },
): Promise<RenderedBenchmark> {
  const { schedule = null, image = usual, results } = loaded.benchmarks[name] ?? {};
  const inCluster = runsInCluster(loaded, name);
  const place = { name, inCluster, schedule, results: results?.pvc ?? null };
  if (!inCluster) return { ...place, image: '', fleetFile: '', beside: {}, secrets: [] };
  const { text, beside, secrets, obstacles } = await benchFile(world, loaded, { name, files, cwd });
  const [reason] = [...(image === undefined ? ['it names no image of berth'] : []), ...obstacles];
  if (reason !== undefined) throw new BerthError('BENCH_NOT_WRITTEN', { name, reason });
  const openshift = loaded.hosts[loaded.benchmarks[name]?.runsOn ?? '']?.kubernetes?.openshift === true;
  const own = { image: image ?? '', fleetFile: text, beside, secrets };
  return { ...place, ...own, ...(openshift ? { anyUser: true } : {}) };
}
