import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import type { Ran } from '../../support/berth.ts';

/** Where `berth pull --json` says that the model lies. */
export function pathOf(ran: Ran): string {
  expect(ran.code, ran.stderr).toBe(0);
  const [pulled] = ran.json() as { path: string }[];
  return pulled?.path ?? '';
}

/** Names of the files in a folder and in those below it. */
export function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** When it has ended and nothing more comes of it. */
export function ended(child: ChildProcess): Promise<unknown> {
  return new Promise((done) => void child.on('close', done));
}
