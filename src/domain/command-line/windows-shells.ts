import type { Peeled } from './peeled.ts';

/** `pwsh -NoProfile -Command "& ./server --port 1"`: options are shortened at will and in any case, and all words behind are one text. */
export function peelPowershell(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => /^--?(c|co|com|comm|comma|comman|command)$/i.test(word));
  const text = args.slice(at + 1).join(' ');
  if (at < 0 || text === '') return null;
  // "&" in front of a command calls it.
  const block = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1] ?? text;
  const plain = block.replaceAll(/(^|[;{|]|&&)\s*[&.]\s+/g, '$1 ');
  return { commands: [['sh', '-c', plain]], env: {}, waits: true };
}

/** `cmd /c "server.exe --port 1"` */
export function peelCmd(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => /^\/[ckr]$/i.test(word));
  const text = args.slice(at + 1).join(' ');
  return at < 0 || text === '' ? null : { commands: [['sh', '-c', text]], env: {}, waits: true };
}
