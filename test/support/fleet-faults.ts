import { BerthError } from '../../src/domain/errors/berth-error.ts';
import type { ConfigFault } from '../../src/domain/errors/fleet-errors.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { loadFleet } from '../../src/fleet/file/load.ts';
import type { LoadedFleet } from '../../src/fleet/file/resolve.ts';
import { asWritten, foreseen } from '../../src/fleet/plan/foresee.ts';
import { localWorld } from '../../src/io/local-world.ts';

/** Loads a fleet file of this text, which lies nowhere. */
async function load(text: string): Promise<LoadedFleet> {
  const world = localWorld();
  async function read(path: string): Promise<string | null> {
    return path === '/fleet/berth.yaml' ? text : null;
  }
  return loadFleet(
    { ...world, files: { ...world.files, read } },
    { files: ['/fleet/berth.yaml'], cwd: '/fleet', secrets: 'unused' },
  );
}

/** What is told of a fleet file of this text. */
export async function fleetFaults(text: string): Promise<readonly ConfigFault[]> {
  try {
    await load(text);
    return [];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return (error as BerthError<'CONFIG_INVALID'>).facts.faults;
  }
}

/** The deployments of a fleet file of this text, which has no faults. */
export async function fleetDeployments(text: string): Promise<LoadedFleet['deployments']> {
  return (await load(text)).deployments;
}

/** What "berth validate" finds in one that has no faults. */
export async function fleetFindings(text: string): Promise<readonly Finding[]> {
  const loaded = await load(text);
  return foreseen(loaded, asWritten(loaded), () => 0);
}

/** The same, each as "LINE:COLUMN PATH: MESSAGE CURE". */
export async function faultLines(text: string): Promise<string[]> {
  const faults = await fleetFaults(text);
  return faults.map((one) => `${one.line}:${one.column} ${one.path}: ${one.message} ${one.cure}`);
}
