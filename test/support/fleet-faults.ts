import { BerthError } from '../../src/domain/errors/berth-error.ts';
import type { ConfigFault } from '../../src/domain/errors/fleet-errors.ts';
import { loadFleet } from '../../src/fleet/file/load.ts';
import { localWorld } from '../../src/io/local-world.ts';

/** What is told of a fleet file of this text, which lies nowhere. */
export async function fleetFaults(text: string): Promise<readonly ConfigFault[]> {
  const world = localWorld();
  async function read(path: string): Promise<string | null> {
    return path === '/fleet/berth.yaml' ? text : null;
  }
  try {
    await loadFleet(
      { ...world, files: { ...world.files, read } },
      { files: ['/fleet/berth.yaml'], cwd: '/fleet', secrets: 'unused' },
    );
    return [];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return (error as BerthError<'CONFIG_INVALID'>).facts.faults;
  }
}

/** The same, each as "LINE:COLUMN PATH: MESSAGE CURE". */
export async function faultLines(text: string): Promise<string[]> {
  const faults = await fleetFaults(text);
  return faults.map((one) => `${one.line}:${one.column} ${one.path}: ${one.message} ${one.cure}`);
}
