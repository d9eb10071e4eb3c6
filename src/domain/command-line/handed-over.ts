import { baseName } from './unwrap.ts';
import { skipOptions } from './wrappers.ts';

/**
 * What a program that only tells another one what to start has started: `tmux new-session -d -s NAME "words"`, and words of their own.
 * All else is itself. For definitions alone: no process with such a line is the server, or its parent.
 */
export function handedOver(argv: readonly string[]): readonly string[] {
  const [program = '', ...args] = argv;
  if (baseName(program) !== 'tmux') return argv;
  const at = skipOptions(args, ['-L', '-S', '-f', '-c', '-T']);
  if (!/^(new(-session|-window|w)?|split(-window|w)|respawn-\w+)$/.test(args[at] ?? '')) return argv;
  const rest = args.slice(at + 1);
  const words = rest.slice(skipOptions(rest, ['-s', '-n', '-t', '-c', '-x', '-y', '-F', '-e', '-f', '-l']));
  if (words.length === 0) return argv;
  return words.length === 1 ? ['sh', '-c', words[0] ?? ''] : words;
}
