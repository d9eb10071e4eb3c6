import type { Observation } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { PositiveDuration } from '../domain/units.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { CliContext } from './context.ts';
import { loadWithoutSecrets } from './fleet-file.ts';
import type { FileOptions } from './fleet-file.ts';

/** The fleet file at hand; null where there is none and none was named. */
export async function fleetIfAny(context: CliContext, options: FileOptions): Promise<LoadedFleet | null> {
  try {
    return await loadWithoutSecrets(context, options);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'CONFIG_MISSING') return null;
    throw error;
  }
}

/** One look at this machine, and at the fleet where there is a file of one. Changes nothing. */
export async function observeHere(
  context: CliContext,
  { loaded, timeout }: { loaded: LoadedFleet | null; timeout: string },
): Promise<Observation> {
  const { world, cwd, signal } = context;
  const [{ scanHost }, { observeHost }] = await Promise.all([
    import('../scan/scan.ts'),
    import('../audit/gather/observe-host.ts'),
  ]);
  const { report, host } = await scanHost(world, { cwd, signal, timeoutMs: timeoutOf(timeout) });
  tellHidden(context, report.hidden);
  const [observed, fleet] = await Promise.all([
    observeHost(world, host),
    loaded
      ? import('../fleet/observe/audit-facts.ts').then(({ auditFacts }) => auditFacts(world, loaded))
      : null,
  ]);
  return { version: 1, at: report.at, hosts: [observed], clusters: await clustersOf(context, loaded), fleet };
}

/** The namespaces of clusters that the file names. One that does not show all is left out, and that is said: half of it would give false findings. */
async function clustersOf(
  { world, output }: CliContext,
  loaded: LoadedFleet | null,
): Promise<Observation['clusters']> {
  const names = Object.entries(loaded?.hosts ?? {}).filter(([, host]) => host.kubernetes !== undefined);
  if (loaded === null || names.length === 0) return [];
  const [{ observeCluster }, { worldOfHost }] = await Promise.all([
    import('../audit/gather/observe-cluster.ts'),
    import('../fleet/file/hosts.ts'),
  ]);
  const found = await Promise.all(
    names.map(async ([name]) => {
      try {
        return [await observeCluster(await worldOfHost(world, loaded.hosts, name), name)];
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        output.progress(`The objects of ${name} were not looked at: ${error.message} ${error.cure}`);
        return [];
      }
    }),
  );
  return found.flat();
}

function timeoutOf(text: string): number {
  const parsed = PositiveDuration.safeParse(text);
  if (parsed.success) return parsed.data;
  const detail = `"${text}" is no time; write it as 500ms, 5s or 1m.`;
  throw new BerthError('USAGE', { detail, command: 'audit' });
}

/** What rights hide is said, beside the result: an audit that saw half of a machine must not look like one that saw all. */
function tellHidden(
  { output }: CliContext,
  hidden: { details: number; commandLines: number; others: boolean; root: boolean },
): void {
  const unseen = Math.max(hidden.details, hidden.commandLines);
  if (hidden.root || (unseen === 0 && !hidden.others)) return;
  const what = hidden.others
    ? "The system hides other users' processes"
    : `${unseen} processes hide what they are`;
  output.progress(`${what} from this user: run with sudo to have them audited, too.`);
}
