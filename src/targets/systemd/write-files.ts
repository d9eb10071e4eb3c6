import { BerthError } from '../../domain/errors/berth-error.ts';
import { saysFullDisk } from '../../domain/full-disk.ts';
import type { World } from '../../io/world.ts';
import { asRoot, reasonOf } from './scope.ts';
import type { Scope } from './scope.ts';

export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** Secrets have 600, and their folder 700. */
  readonly mode: '600' | '644';
}

/** One line a file: mode, mode of its folder, path and content in base64. Each is whole or not there: written beside, then renamed. A folder that was made for one that could not be written goes with it. */
const script = `set -eu
umask 022
while read -r mode folder name text; do
  path=$(printf %s "$name" | base64 -d)
  dir=$(dirname -- "$path")
  made=
  [ -d "$dir" ] || { made=yes; mkdir -p -- "$dir"; chmod "$folder" "$dir"; }
  (umask 077; printf %s "$text" | base64 -d >"$path.berth-new") || {
    rm -f -- "$path.berth-new"
    [ -z "$made" ] || rmdir -- "$dir" 2>/dev/null || true
    echo "at $path" >&2
    exit 1
  }
  chmod "$mode" "$path.berth-new"
  mv -f -- "$path.berth-new" "$path"
done`;

/** Writes files with the rights of the scope; contents travel by standard input, since arguments can be seen by all. */
export async function writeFiles(world: World, scope: Scope, files: readonly FileToWrite[]): Promise<void> {
  const input = files
    .map(({ path, text, mode }) => `${mode} ${mode === '600' ? '700' : '755'} ${b64(path)} ${b64(text)}\n`)
    .join('');
  const result = await world.exec.run([...asRoot(scope), 'sh', '-c', script], { input, timeoutMs: 30_000 });
  if (result.code === 0) return;
  const reason = reasonOf(result);
  if (scope.sudo && /^sudo:/m.test(reason)) throw new BerthError('BECOME_REFUSED', { reason });
  const path = /at (\/.*)$/.exec(reason)?.[1] ?? files[0]?.path ?? scope.units;
  throw saysFullDisk(reason)
    ? new BerthError('DISK_FULL', { path })
    : new BerthError('WRITE_DENIED', { path, reason });
}

/** Files, and folders when nothing of others is in them. A name that ends in a star is all that begin so. */
const removal = `set -eu
while read -r name; do
  path=$(printf %s "$name" | base64 -d)
  case "$path" in *\\*) rm -f -- "\${path%\\*}"*; continue ;; esac
  if [ -d "$path" ]; then rmdir -- "$path" 2>/dev/null || true; else rm -f -- "$path" "$path.berth-new"; fi
done`;

export async function removeFiles(world: World, scope: Scope, paths: readonly string[]): Promise<void> {
  const input = paths.map((path) => `${b64(path)}\n`).join('');
  const result = await world.exec.run([...asRoot(scope), 'sh', '-c', removal], { input, timeoutMs: 30_000 });
  if (result.code !== 0)
    throw new BerthError('WRITE_DENIED', { path: paths[0] ?? scope.units, reason: reasonOf(result) });
}

/** What a file of the scope holds; null where it cannot be read. */
export async function readAsRoot(world: World, scope: Scope, path: string): Promise<string | null> {
  const { code, stdout } = await world.exec.run([...asRoot(scope), 'cat', '--', path], { timeoutMs: 30_000 });
  return code === 0 ? stdout : null;
}

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}
