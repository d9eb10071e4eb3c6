import { dirname, join } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';

/** Names of runs to hold others against; everywhere a run is named, "@NAME" is one of them. */
const Baselines = z.record(z.string(), z.string());
type Baselines = z.infer<typeof Baselines>;

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

function pathOf(world: World): string {
  return join(dirname(world.places.runs), 'baselines.json');
}

export async function readBaselines(world: World): Promise<Baselines> {
  const path = pathOf(world);
  const text = await world.files.read(path);
  if (text === null) return {};
  try {
    return Baselines.parse(JSON.parse(text));
  } catch {
    throw new BerthError('RUN_UNREADABLE', { path, reason: 'it does not hold names of runs' });
  }
}

/** Gives a run a name, or takes the name away (`run` null). The id must be that of a run. */
export async function setBaseline(world: World, name: string, run: string | null): Promise<Baselines> {
  if (!pattern.test(name))
    throw new BerthError('USAGE', {
      detail: `A baseline is named by letters, digits, dots and dashes, not "${name}".`,
      command: 'baseline',
    });
  const { [name]: _, ...others } = await readBaselines(world);
  const baselines = run === null ? others : { ...others, [name]: run };
  await world.files.write(pathOf(world), `${JSON.stringify(baselines, null, 2)}\n`);
  return baselines;
}

/** The run that "@NAME" means; any other word is itself. Throws BASELINE_UNKNOWN. */
export async function behindName(world: World, word: string): Promise<string> {
  if (!word.startsWith('@')) return word;
  const baselines = await readBaselines(world);
  const run = baselines[word.slice(1)];
  if (run === undefined)
    throw new BerthError('BASELINE_UNKNOWN', { name: word.slice(1), known: Object.keys(baselines) });
  return run;
}
