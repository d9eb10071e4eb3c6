/** What is run on another machine, as text for its shell. Nothing here acts. */

/** One word of a shell, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/**
 * The command that ssh is given. The script itself comes by standard input, so that nothing of it stands in a list of processes,
 * and what follows it there is the script's own input: `dd` takes byte by byte and so not one too many, which `head` may.
 * Any login shell takes these quotes.
 */
export function commandFor(script: string): string {
  return `sh -c 'eval "$(dd bs=1 count=${Buffer.byteLength(script)} 2>/dev/null)"'`;
}

/**
 * Puts a nonce before and after what the script says, on both of its outputs. What stands before it is the talk of a login; where
 * the last one is missing, the script did not come to its end.
 */
export function framed(body: string, nonce: string): string {
  return `printf '%s\\n' ${nonce}; printf '%s\\n' ${nonce} >&2
(
${body}
)
printf '\\n%s %s\\n' ${nonce} "$?" >&2; printf '\\n%s\\n' ${nonce}
`;
}

/**
 * A shell that runs one script after the other: each comes as a line with its length and that of its input, then both. A session
 * of its own for each would mean a login for each.
 */
export const workerScript = `while read -r length input; do
script=$(dd bs=1 count="$length" 2>/dev/null)
if [ "$input" -gt 0 ]; then dd bs=1 count="$input" 2>/dev/null | { eval "$script"; cat >/dev/null; }
else eval "$script" </dev/null; fi
done
`;

/** True once both outputs are at their end. */
export function isWhole(parts: readonly Buffer[], stderr: string, nonce: string): boolean {
  const last: Buffer[] = [];
  // Of many parts the first need not be looked at again with each that comes.
  for (let at = parts.length - 1, bytes = 0; at >= 0 && bytes < nonce.length + 2; at -= 1) {
    const part = parts[at] ?? Buffer.of();
    last.unshift(part);
    bytes += part.length;
  }
  const tail = Buffer.concat(last)
    .subarray(-nonce.length - 2)
    .toString('latin1');
  return tail === `\n${nonce}\n` && stderr.endsWith('\n') && new RegExp(`\\n${nonce} \\d+\\n$`).test(stderr);
}

export interface Framed {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What the script itself said; null when it did not come to its end. */
export function readFrame(stdout: Buffer, stderr: string, nonce: string): Framed | null {
  const end = new RegExp(`\\n${nonce} (\\d+)\\n`).exec(stderr);
  const out = stdout.indexOf(`${nonce}\n`);
  if (!end || out < 0) return null;
  const begin = stderr.indexOf(`${nonce}\n`);
  const from = begin < 0 || begin > end.index ? 0 : begin + nonce.length + 1;
  const last = stdout.lastIndexOf(`\n${nonce}\n`);
  return {
    code: Number(end[1]),
    stdout: stdout.subarray(out + nonce.length + 1, last > out ? last : stdout.length),
    stderr: stderr.slice(Math.min(from, end.index), end.index),
  };
}

/** A variable of the environment that a shell can set. */
export function isVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** Has exactly these variables in the environment, of those that were there before. */
export function environment(
  wanted: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string | undefined>>,
): string {
  const gone = Object.keys(before).filter((name) => isVariable(name) && !(name in wanted));
  const set = Object.entries(wanted).filter(
    ([name, value]) => isVariable(name) && before[name] !== value && !readOnly.has(name),
  );
  return [
    ...(gone.length > 0 ? [`unset ${gone.filter((name) => !readOnly.has(name)).join(' ')}`] : []),
    ...set.map(([name, value]) => `export ${name}=${quote(value)}`),
  ].join('\n');
}

/** Some shells refuse to have these changed. */
const readOnly = new Set([
  'UID',
  'EUID',
  'PPID',
  'SHELLOPTS',
  'BASHOPTS',
  'BASH_VERSINFO',
  '_',
  'PWD',
  'OLDPWD',
]);
