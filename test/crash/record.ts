import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { SeededMoment } from './moments.ts';

/** One moment after which the next apply converged: what it met, which is null where the change was done before, and how long both took. */
export interface RecordedMoment extends SeededMoment {
  readonly name: string;
  readonly seed: number;
  readonly turn: number;
  readonly met: string | null;
  readonly seconds: number;
}

/** What a file has of this target and seed, oldest first: a run goes on from there, so that a long one can be had in pieces. */
export function readRecord(path: string | undefined, name: string, seed: number): RecordedMoment[] {
  if (path === undefined || !existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const all = lines.map((line) => JSON.parse(line) as RecordedMoment);
  return all.filter((one) => one.name === name && one.seed === seed);
}

export function addToRecord(path: string | undefined, moment: RecordedMoment): void {
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(moment)}\n`);
}
