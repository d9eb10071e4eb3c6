import type { Peeled } from './peeled.ts';

/** Its options without a value; all others take the next word, where no "=" joins it. */
const switches =
  /^--(standalone|no[-_]python|run[-_]path|multi[-_]gpu|quiet|cpu|use[-_]deepspeed|use[-_]fsdp)$/;

/** Starts Python several times: `torchrun --nproc-per-node 2 -m MODULE ARGS`, or a script, as `/usr/local/bin/vllm serve MODEL`. */
export function peelTorch(args: readonly string[]): Peeled | null {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (word === '-m' || word === '--module')
      return { commands: [['python', '-m', ...args.slice(at + 1)]], env: {}, waits: true };
    if (!word.startsWith('-')) return { commands: [['python', ...args.slice(at)]], env: {}, waits: true };
    if (!word.includes('=') && !switches.test(word)) at += 1;
  }
  return null;
}
