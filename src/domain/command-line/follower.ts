import { flagNumber, hasFlag } from './flags.ts';

/** Whether a server computes for one elsewhere, so that it has no port that clients ask. */
export function isFollower(argv: readonly string[]): boolean {
  return hasFlag(argv, '--headless') || (flagNumber(argv, '--node-rank', '--node_rank') ?? 0) > 0;
}
