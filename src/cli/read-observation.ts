import { resolve } from 'node:path';
import { Observation } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { CliContext } from './context.ts';

/** What "berth audit --record" kept. Throws FILE_MISSING or RECORDING_UNREADABLE. */
export async function readObservation({ world, cwd }: CliContext, file: string): Promise<Observation> {
  const path = resolve(cwd, file);
  const text = await world.files.read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'recording' }, { exit: 'usage' });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BerthError('RECORDING_UNREADABLE', { path, reason: 'it is not JSON' });
  }
  const parsed = Observation.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const reason = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  throw new BerthError('RECORDING_UNREADABLE', { path, reason });
}
