import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { Place } from './berth.ts';

export interface Made {
  models?: Record<string, unknown>;
  deployments: Record<string, Record<string, unknown>>;
  gateway?: Record<string, unknown>;
}

export interface Left {
  line: number;
  path: string;
  reason: string;
}

/** The file that came of another program's, and what was left of that; `berth init` has checked it as `berth validate` does. */
export async function takeOver(
  place: Place,
  text: string,
): Promise<{ made: Made; left: Left[]; text: string }> {
  place.write(text, 'theirs.yaml');
  const ran = await place.berth('init', '--from', 'theirs.yaml', '--json');
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const written = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  return { made: parse(written) as Made, left: (ran.json() as { left: Left[] }).left, text: written };
}
