import type { Peeled } from './peeled.ts';

/** What confines or watches a program, or starts what Python runs, in ways of its own; null for everything else. */
export function peelWatcher(name: string, args: readonly string[]): Peeled | null {
  if (name === 'bwrap') return peelBubblewrap(args);
  if (/^(cuda-)?gdb$|^lldb$/.test(name)) return peelDebugger(args);
  return pythonRunners.test(name) ? peelPython(args) : null;
}

/** `gdb -ex run --args PROGRAM`: without "run" nobody knows whether it runs, and what runs is a process of its own. */
function peelDebugger(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '--args' || word === '-args' || word === '--');
  const runs = args.slice(0, at).some((word) => /^(run|r|start|process launch)$/.test(word));
  return at < 0 || !runs ? null : { commands: [args.slice(at + 1)], env: {}, waits: true };
}

/** What runs a script or a module of Python in its own manner, as `torchrun [options] -m vllm...`. */
const pythonRunners =
  /^(torchrun|torch\.distributed\.(run|launch)|accelerate|debugpy|coverage|memray|viztracer|scalene|kernprof|cProfile|pdb|deepspeed)$/;

function peelPython(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '-m' || word === '--module' || word.endsWith('.py'));
  const rest = args.slice(at);
  const command = rest[0] === '--module' ? ['-m', ...rest.slice(1)] : rest;
  return at < 0 ? null : { commands: [['python3', ...command]], env: {}, waits: true };
}

/** Options of `bwrap` by how many words follow them; all others have none. */
const bubblewrapTwo =
  /^--((ro-|dev-)?bind(-try|-data|-fd)?|ro-bind-data|symlink|setenv|file|chmod|overlay|bind-data)$/;
const bubblewrapOne =
  /^--(dev|proc|tmpfs|mqueue|dir|chdir|uid|gid|hostname|unsetenv|lock-file|sync-fd|block-fd|userns-block-fd|info-fd|json-status-fd|seccomp|add-seccomp-fd|exec-label|file-label|args|argv0|perms|size|cap-add|cap-drop|userns2?|pidns|remount-ro|overlay-src|tmp-overlay|ro-overlay)$/;

function peelBubblewrap(args: readonly string[]): Peeled {
  let at = 0;
  while (args[at]?.startsWith('--')) {
    const word = args[at] as string;
    if (word === '--') {
      at += 1;
      break;
    }
    at += bubblewrapTwo.test(word) ? 3 : bubblewrapOne.test(word) ? 2 : 1;
  }
  return { commands: [args.slice(at)], env: {}, waits: true };
}
