import { basename } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ForeignRun } from '../../domain/run/foreign-run.ts';
import type { World } from '../../io/world.ts';
import { runReaders } from '../readers/registry.ts';

/**
 * The run of another tool in a file of its; null when there is no such file, or it is one of berth's own. Throws
 * RUN_FOREIGN when nobody knows what it is.
 */
export async function readForeign(world: World, path: string): Promise<ForeignRun | null> {
  const stat = await world.files.stat(path);
  if (!stat?.isFile) return null;
  const value = parsed(path, (await world.files.read(path)) ?? '');
  const reader = runReaders.find((each) => each.recognises(value));
  if (!reader) {
    if (Own.safeParse(value).success) return null;
    throw new BerthError('RUN_FOREIGN', {
      path,
      reason: 'no tool that berth knows writes such a file',
      known: known(),
    });
  }
  try {
    return reader.read(value, basename(path));
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    const reason = `it looks like a ${reader.title}, but ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
    throw new BerthError('RUN_FOREIGN', { path, reason, known: known() });
  }
}

const Own = z.looseObject({ schema: z.int(), id: z.string(), stages: z.array(z.unknown()) });

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BerthError('RUN_FOREIGN', { path, reason: 'it is not JSON', known: known() });
  }
}

function known(): string[] {
  return runReaders.map(({ title }) => title);
}
