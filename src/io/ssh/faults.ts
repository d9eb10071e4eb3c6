import { BerthError } from '../../domain/errors/berth-error.ts';

/** What ssh says when it comes to no session, in the order in which to look: one line may lead to the next. */
const kinds: readonly (readonly [RegExp, 'HOST_KEY_CHANGED' | 'HOST_KEY_UNKNOWN' | 'HOST_DENIED'])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/, 'HOST_KEY_CHANGED'],
  [/No .* host key is known for|Host key verification failed/, 'HOST_KEY_UNKNOWN'],
  [/Permission denied|Too many authentication failures|Authentication failed/i, 'HOST_DENIED'],
];

/** Why a connection was not made, from what ssh wrote to its standard error. */
export function connectFault(host: string, stderr: string): BerthError {
  for (const [pattern, code] of kinds)
    if (pattern.test(stderr)) return new BerthError(code, { host, said: saidOf(stderr, pattern) });
  const said = lastLine(stderr);
  return unreachable.test(stderr) || said === ''
    ? new BerthError('HOST_UNREACHABLE', { host, said: said || 'ssh ended without a word' })
    : new BerthError('HOST_NO_SHELL', { host, said });
}

const unreachable =
  /^(ssh: |kex_|ssh_exchange|Connection (closed|reset|timed)|Timeout, server|Bad |no matching|Unable to negotiate|.*: (Connection refused|Bad (owner|configuration)|terminating))|banner exchange|Broken pipe|port \d+:/m;

/** The line that tells why; of a changed key the one that names the file. */
function saidOf(stderr: string, pattern: RegExp): string {
  const lines = linesOf(stderr);
  const offending = lines.find((line) => /^Offending .* key in /.test(line));
  return offending ?? lines.find((line) => pattern.test(line)) ?? lastLine(stderr);
}

/** What ssh said last, without its name and the full stop. */
export function lastLine(stderr: string): string {
  const last = linesOf(stderr).at(-1) ?? '';
  return last.replace(/^ssh: /, '').replace(/[.\s]+$/, '');
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Pseudo-terminal will not'));
}

/** "cat: /etc/shadow: Permission denied" as the end of a sentence: "Permission denied". */
export function reasonOf(stderr: string): string {
  const line = linesOf(stderr).at(-1) ?? '';
  return (/: ([^:]+)$/.exec(line)?.[1] ?? line).replace(/[.\s]+$/, '') || 'it said nothing';
}
