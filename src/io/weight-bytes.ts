import { splitSet } from '../domain/split-files.ts';
import type { World } from './world.ts';

/** How large a model is, with all of its files; null: one of them is not there. */
export async function weightBytes({ files }: Pick<World, 'files'>, path: string): Promise<number | null> {
  const found = await Promise.all(splitSet(path).map((part) => files.stat(part)));
  return found.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one.size), 0);
}
