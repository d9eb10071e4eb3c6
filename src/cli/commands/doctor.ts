import { Option } from 'commander';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { states } from '../../doctor/contract.ts';
import type { State, Wants } from '../../doctor/contract.ts';
import { examine, worst } from '../../doctor/examine.ts';
import type { Examined } from '../../doctor/examine.ts';
import { worldOfHost } from '../../fleet/file/hosts.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { CliContext } from '../context.ts';
import { nothingWanted, wantsOf } from '../doctor-wants.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth doctor', 'Looks at every host of the fleet file; without one, at this machine.'],
  ['berth doctor a10', 'Looks at that host alone.'],
  ['berth doctor --fail-on warning', 'Ends with code 8 on warnings too, for scripts.'],
] as const;

interface DoctorOptions extends FileOptions {
  readonly failOn: 'info' | 'warning' | 'critical';
  readonly all?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command.argument('[host]', 'a host of the fleet file; default: all'))
    .option('--all', 'also show what is good or not there')
    .addOption(
      new Option('--fail-on <severity>', 'end with code 8 from this on')
        .choices(['info', 'warning', 'critical'])
        .default('critical'),
    )
    .action(async (host: string | undefined, options: DoctorOptions) => {
      const loaded = await loadIfThere(context, options);
      const names = hostsOf(loaded, host);
      const examined = await Promise.all(
        names.map((name) => examineHost(context, loaded, name).catch((error) => unreached(name, error))),
      );
      const gravest = worst(examined);
      context.output.result({ version: 1, worst: gravest, hosts: examined }, () =>
        examined.map((one) => textOf(one, options.all ?? false)).join('\n\n'),
      );
      if (states.indexOf(gravest) >= states.indexOf(options.failOn)) context.exit(exitCodes.findings);
    });
}

/** Without a file every machine can still be looked at; a file that was named, or has faults, must be right. */
async function loadIfThere(context: CliContext, options: DoctorOptions): Promise<LoadedFleet | null> {
  try {
    return await loadWithoutSecrets(context, options);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'CONFIG_MISSING') return null;
    throw error;
  }
}

function hostsOf(loaded: LoadedFleet | null, host: string | undefined): string[] {
  const known = Object.keys(loaded?.hosts ?? { local: {} });
  if (host !== undefined && !known.includes(host))
    throw new BerthError('HOST_UNKNOWN', { name: host, known });
  if (host !== undefined) return [host];
  const used = new Set(loaded?.deployments.map((one) => one.host));
  // "local" is there by itself; where the file names others and puts nothing on it, it is not asked for.
  return known.filter((name) => name !== 'local' || known.length === 1 || used.has(name));
}

async function examineHost(context: CliContext, loaded: LoadedFleet | null, name: string): Promise<Examined> {
  const wants: Wants = loaded ? wantsOf(loaded, name) : nothingWanted;
  // A cluster is asked from this machine.
  const world =
    wants.cluster === null ? await worldOfHost(context.world, loaded?.hosts ?? {}, name) : context.world;
  return examine(world, name, wants);
}

/** A host that cannot be looked at keeps no other from it. Throws what is no fault of the host. */
function unreached(host: string, error: unknown): Examined {
  if (!(error instanceof BerthError)) throw error;
  const { message, cure, code } = error;
  const check = { check: 'reach', title: 'The way there', state: 'critical' as const };
  return { host, checks: [{ ...check, message, evidence: [code], cure }] };
}

const shownAlways: readonly State[] = ['info', 'warning', 'critical'];

function textOf({ host, checks }: Examined, all: boolean): string {
  const shown = checks.filter(({ state }) => all || shownAlways.includes(state));
  const quiet = checks.filter(({ state }) => !shownAlways.includes(state));
  const width = Math.max(0, ...shown.map(({ state }) => state.length));
  const lines = shown.map(({ state, title, message, evidence, cure }) =>
    [
      `${state.padEnd(width)}  ${title}: ${message}`,
      ...evidence.map((line) => `    ${line}`),
      ...(cure === null ? [] : [`    Cure: ${cure}`]),
    ].join('\n'),
  );
  const good = [...new Set(quiet.filter(({ state }) => state === 'good').map(({ title }) => title))];
  const gone = [...new Set(quiet.filter(({ state }) => state === 'absent').map(({ title }) => title))];
  return [
    `Host ${host}: ${shown.filter(({ state }) => shownAlways.includes(state)).length === 0 ? 'nothing is wrong.' : ''}`.trimEnd(),
    ...lines,
    ...(all || good.length === 0 ? [] : [`good: ${good.join(' · ')}`]),
    ...(all || gone.length === 0 ? [] : [`not there, and not asked for: ${gone.join(' · ')}`]),
  ].join('\n');
}
