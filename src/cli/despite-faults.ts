import { resolve } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Finding } from '../domain/finding.ts';
import { findApplied } from '../fleet/file/applied-files.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { usualFiles } from '../fleet/file/sources.ts';
import type { CliContext } from './context.ts';
import { loadApplied, loadWithoutSecrets } from './fleet-file.ts';
import type { FileOptions, Resting } from './fleet-file.ts';

/**
 * For commands that look at what runs, or stop it: where the fleet's files have a fault, they go by these as they were when they were
 * last applied, and say so. Throws the fault where nothing was.
 */
export async function loadDespiteFaults(
  context: CliContext,
  options: FileOptions,
  rest?: Resting,
): Promise<LoadedFleet> {
  const { loaded, old } = await loadOrApplied(context, options, rest);
  if (old) context.output.progress(`berth: ${old.fault.message}\n${whatItGoesBy(old)}`);
  return loaded;
}

/** What is gone by in place of files with a fault. */
export interface Old {
  readonly fault: BerthError;
  readonly at: string;
  readonly files: readonly string[];
}

/** The same, for whoever tells of it in another way. `old` is null where the files are as they should be. */
export async function loadOrApplied(
  context: CliContext,
  options: FileOptions,
  rest?: Resting,
): Promise<{ loaded: LoadedFleet; old: Old | null }> {
  try {
    return { loaded: await loadWithoutSecrets(context, options, rest), old: null };
  } catch (fault) {
    if (!isFaultOfFiles(fault)) throw fault;
    const applied = await findApplied(context.world, await namedFiles(context, options));
    if (!applied) throw fault;
    const { at, named: files } = applied;
    try {
      return { loaded: await loadApplied(context, applied, rest), old: { fault, at, files } };
    } catch (error) {
      // Another version of berth may have kept it.
      throw isFaultOfFiles(error) ? fault : error;
    }
  }
}

/** As a finding, beside what is shown. */
export function oldFileFinding(old: Old): Finding {
  return {
    rule: 'file-invalid',
    severity: 'warning',
    object: 'fleet',
    message: `${whatItGoesBy(old)} ${old.fault.message}`,
    evidence: [old.fault.code],
    cure: old.fault.cure,
  };
}

function whatItGoesBy({ at, files }: Old): string {
  return `This goes by ${files.join(' and ')} as applied last, at ${at}, which stays in force.`;
}

/** Those that are asked for; of the usual ones the one that is there, or was. */
async function namedFiles({ world, cwd }: CliContext, { file }: FileOptions): Promise<string[]> {
  if (file.length > 0) return file.map((one) => resolve(cwd, one));
  const usual = usualFiles(world, cwd);
  for (const path of usual) if ((await world.files.stat(path)) !== null) return [path];
  for (const path of usual) if ((await findApplied(world, [path])) !== null) return [path];
  return [];
}

/** True for what is wrong with the files themselves. */
function isFaultOfFiles(error: unknown): error is BerthError {
  return error instanceof BerthError && faults.includes(error.code);
}

const faults: readonly string[] = [
  'CONFIG_INVALID',
  'CONFIG_MISSING',
  'FILE_MISSING',
  'FILE_UNREADABLE',
  'GIVEN_FILE_MISSING',
];
